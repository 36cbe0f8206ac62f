import { existsSync, readFileSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The program. Scripts ask for its version often, so that is answered before anything else is loaded. */
export async function run(args: string[], url: string): Promise<void> {
  if (args[0] === '--version' && printVersion()) return
  const { runProgram } = await import('./program.js')
  await runProgram(args, fileURLToPath(url))
}

/** @returns false when it did not: then oclif does, whose text this is, or says why it cannot */
function printVersion(): boolean {
  try {
    // oclif has names of its own for these
    if (process.platform !== 'linux' || process.arch === 'ia32' || mayBeWsl()) return false
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
    const { name, version } = JSON.parse(manifest) as { name: string; version: string }
    writeSync(1, `${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`)
    return true
  } catch {
    return false
  }
}

/** Whether this may be the Windows Subsystem for Linux, whose kernels name Microsoft, or are its user's. */
function mayBeWsl(): boolean {
  const signs = ['/run/WSL', '/proc/sys/fs/binfmt_misc/WSLInterop']
  return signs.some((path) => existsSync(path)) || /microsoft/i.test(readFileSync('/proc/version', 'latin1'))
}
