import { createHash } from 'node:crypto'
import { readlink } from 'node:fs/promises'
import { hostname } from 'node:os'

/**
 * `<name>-<machine>`, the beginning of `<name>-<machine>.<pid>.<start time>.XXXXXX`: process ids mean something only on
 * one machine and in one process namespace, and folders are shared across both (NFS, bind mounts), so only a run that
 * can tell may sweep.
 */
export async function temporaryPrefix(name: string): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '')
  const machine = createHash('sha256').update(`${hostname()}\0${namespace}`).digest('hex').slice(0, 8)
  return `${name}-${machine}`
}
