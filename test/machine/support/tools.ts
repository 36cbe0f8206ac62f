import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const PATH = [process.env.PATH, ...FOLDERS].join(':')
const execute = promisify(execFile)

/** Whether something is missing; says loudly what, and which Debian package has it. */
export function lacks(what: string, tools: Readonly<Record<string, string>>, needs: 'root' | 'nobody' = 'nobody') {
  const missing = Object.keys(tools).filter((tool) => !FOLDERS.some((folder) => existsSync(join(folder, tool))))
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((tool) => tools[tool]))].join(' ')
    console.warn(`skipped: ${what}: ${missing.join(', ')} missing (apt-get install ${packages})`)
    return true
  }
  if (needs === 'nobody' || process.getuid?.() === 0) return false
  console.warn(`skipped: ${what}: the judge mounts file systems, which only root may`)
  return true
}

/** Runs a judge, or a tool that makes a disk; its standard output. */
export async function tool(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { env: { ...process.env, PATH, ...env }, maxBuffer: 256 * 1024 * 1024 }
  const { stdout } = await execute(name, [...args], options)
  return stdout
}

/** A script of sh; its arguments are $1, $2 … */
export function shell(script: string, ...args: readonly string[]): Promise<string> {
  return tool('sh', ['-e', '-c', script, 'sh', ...args])
}
