import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { C2mError, ExitCode } from './errors.js'

/** Places where root's programs live, which are not on every user's PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin']

/** Absolute path of a program on PATH or in the system's folders; undefined when there is none. */
export async function findTool(name: string): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter((f) => f.startsWith('/')), ...SYSTEM_FOLDERS]
  for (const folder of folders) {
    const path = join(folder, name)
    try {
      await access(path, constants.X_OK)
      return path
    } catch {
      // not in this folder
    }
  }
  return undefined
}

/**
 * @param forWhat what cannot be done without it, e.g. 'writing qcow2'
 * @param aptPackage the package that brings it, by apt's names
 * @throws C2M_TOOL_MISSING (exit code 3)
 */
export async function requireTool(name: string, forWhat: string, aptPackage: string): Promise<string> {
  const path = await findTool(name)
  if (path !== undefined) return path
  throw new C2mError('C2M_TOOL_MISSING', `${forWhat} needs the program ${name}, which is not installed`, {
    hint: `install it: apt-get install ${aptPackage}`,
    exitCode: ExitCode.missing,
  })
}
