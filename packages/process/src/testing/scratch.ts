import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for one test. */
export async function scratch() {
  const path = await mkdtemp(join(tmpdir(), 'c2m-process-test-'))
  return {
    path,
    at: (name: string) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

export const isRoot = process.getuid?.() === 0
export const NOBODY = 65534
