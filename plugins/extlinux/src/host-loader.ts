import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { extlinuxError } from './error.js'
import { REINSTALL } from './loader.js'
import { BOOT_SECTOR, COPY, FORMAT, INSTALL, SCRATCH } from './scratch.js'
import { SECTOR } from './sectors.js'

const run = promisify(execFile)

export type HostLoader = { readonly files: ReadonlyMap<string, Uint8Array> } | { readonly missing: string }

/**
 * The loader of the host's own syslinux, made in a scratch folder; which program is missing otherwise.
 *
 * @throws C2M_EXTLINUX_HOST when a program is there but fails
 */
export async function hostLoader(signal: AbortSignal): Promise<HostLoader> {
  const folder = await mkdtemp(join(tmpdir(), 'c2m-extlinux-'))
  try {
    for (const [program, ...args] of [FORMAT, INSTALL, COPY]) {
      // the user's own configuration of mtools may name other drives
      const env = { ...process.env, MTOOLSRC: '/dev/null', TMPDIR: folder }
      try {
        await run(program, args, { cwd: folder, env, signal })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { missing: `the program ${program}` }
        throw error
      }
    }
    const read = (name: string) => readFile(join(folder, name))
    const boot = (await read(SCRATCH)).subarray(0, SECTOR)
    return {
      files: new Map([
        ['ldlinux.sys', await read('ldlinux.sys')],
        ['ldlinux.c32', await read('ldlinux.c32')],
        [BOOT_SECTOR, Uint8Array.from(boot)],
      ]),
    }
  } catch (error) {
    signal.throwIfAborted()
    const { message, stderr = '' } = error as Error & { stderr?: string }
    const because = stderr.trim().split('\n').at(-1) ?? ''
    throw extlinuxError(
      'C2M_EXTLINUX_HOST',
      `this host's syslinux made no loader: ${because === '' ? message : because}`,
      REINSTALL,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
