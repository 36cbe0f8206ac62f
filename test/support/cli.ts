import { spawn } from 'node:child_process'
import { CACHE, ROOT } from './paths.js'

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Put before the program, e.g. ['strace', …]. */
  readonly prefix?: readonly string[]
  readonly input?: string
  /** Called with what comes on stderr, e.g. to send a signal at the right moment. */
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
}

export const PROGRAM = `${ROOT}packages/cli/bin/run.js`

/** Runs the built program as a user does, with the tests' cache. */
export function c2m(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const [file = '', ...rest] = [...(options.prefix ?? []), process.execPath, PROGRAM, ...args]
  const env = { ...process.env, C2M_CACHE_DIR: CACHE, ...options.env }
  return new Promise((resolve, reject) => {
    const child = spawn(file, rest, { cwd: options.cwd ?? ROOT, env, stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      options.onStderr?.(stderr, (signal) => child.kill(signal))
    })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === null ? -1 : 128), stdout, stderr }))
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}

/** Runs it and fails with everything it printed unless it succeeds. */
export async function c2mOk(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const result = await c2m(args, options)
  if (result.code !== 0) throw new Error(`c2m ${args.join(' ')}: exit ${result.code}\n${result.stdout}${result.stderr}`)
  return result
}
