import { execa } from 'execa'
import { C2mError, throwIfAborted } from './errors.js'
import { plainText } from './plain-text.js'

export interface RunOptions {
  cwd?: string
  /** Replaces the environment; default: this process's. */
  env?: Record<string, string | undefined>
  /** Written to the child's standard input, then closed; default: no input. Secrets go here, never into argv. */
  input?: string | Uint8Array
  /** The child gets this process's standard input, so that it can ask its user. */
  terminal?: boolean
  signal?: AbortSignal
  /** Called with each line of stdout and stderr as it comes. */
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /** Exit codes that are no failure; default [0]. */
  accept?: readonly number[]
  /** Milliseconds after which the child is ended. */
  timeout?: number
}

export interface RunResult {
  exitCode: number
  /** The last 16 MiB at most. */
  stdout: string
  stderr: string
}

const LAST_LINES = 20
const MAX_CAPTURE = 16 * 1024 * 1024

/**
 * Runs a program to its end. It gets SIGTERM when `signal` aborts or this process ends, SIGKILL five seconds later.
 * @throws C2M_COMMAND_FAILED with the command and its last lines; C2M_INTERRUPTED
 */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  throwIfAborted(options.signal)
  const child = execa(file, args, {
    cwd: options.cwd,
    env: options.env,
    extendEnv: options.env === undefined,
    input: options.input,
    stdin: options.terminal === true ? 'inherit' : options.input === undefined ? 'ignore' : undefined,
    cancelSignal: options.signal,
    forceKillAfterDelay: 5000,
    maxBuffer: MAX_CAPTURE,
    timeout: options.timeout,
    reject: false,
    stripFinalNewline: false,
  } as const)
  const { onLine } = options
  if (onLine !== undefined) {
    await Promise.all([
      forEachLine(child.iterable({ from: 'stdout' }), (line) => onLine(line, 'stdout')),
      forEachLine(child.iterable({ from: 'stderr' }), (line) => onLine(line, 'stderr')),
    ]).catch(() => undefined) // the child's end is judged below
  }
  const result = await child
  throwIfAborted(options.signal)
  const exitCode = result.exitCode ?? -1
  if (!(options.accept ?? [0]).includes(exitCode)) {
    throw commandError([file, ...args], describeEnd(result), lastLines(result.stderr || result.stdout))
  }
  return { exitCode, stdout: result.stdout, stderr: result.stderr }
}

async function forEachLine(lines: AsyncIterable<unknown>, take: (line: string) => void): Promise<void> {
  for await (const line of lines) take(String(line))
}

function describeEnd(result: { exitCode?: number; signal?: string; timedOut: boolean; shortMessage?: string }): string {
  if (result.timedOut) return 'took too long and was ended'
  if (result.signal !== undefined) return `was ended by ${result.signal}`
  if (result.exitCode !== undefined) return `failed with exit code ${result.exitCode}`
  return `could not be started (${result.shortMessage ?? 'unknown reason'})`
}

/** The end of what a program said, for an error: its lines, without colours and other control characters. */
export function lastLines(text: string, count = LAST_LINES): string {
  return plainText(text).trimEnd().split('\n').slice(-count).join('\n')
}

/** The one wording for a child that failed: its command, how it ended, its last lines. */
export function commandError(argv: readonly string[], how: string, output: string): C2mError {
  const tail = output.trim() === '' ? '' : `; it said:\n${output.replace(/^/gm, '  ')}`
  return new C2mError('C2M_COMMAND_FAILED', `${argv.join(' ')} ${how}${tail}`)
}
