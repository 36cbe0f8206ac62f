import { C2mError, throwIfAborted } from './errors.js'
import { onLine } from './lines.js'
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
  /** Called with each line of stdout and stderr as it comes, at most 64 KiB of it; they are not captured then. */
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /** Exit codes that are no failure; default [0]. */
  accept?: readonly number[]
  /** Milliseconds after which the child is ended. */
  timeout?: number
}

export interface RunResult {
  exitCode: number
  /** Empty when the lines were given to `onLine`. */
  stdout: string
  stderr: string
}

const LAST_LINES = 20
const MAX_CAPTURE = 16 * 1024 * 1024
/** Characters of a program's output that its last lines are looked for in. */
const MAX_TAIL = 64 * 1024
/** Characters of one line that an error quotes. */
const MAX_QUOTED = 2000

/**
 * Runs a program to its end. One that prints more than 16 MiB is ended. It gets SIGTERM when `signal` aborts or this process ends, SIGKILL five seconds later.
 * @throws C2M_COMMAND_FAILED with the command and its last lines; C2M_INTERRUPTED
 */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { execa } = await import('execa') // takes longer to load than all else here, and often nothing is run
  throwIfAborted(options.signal)
  const { onLine: take } = options
  const child = execa(file, args, {
    cwd: options.cwd,
    env: options.env,
    extendEnv: options.env === undefined,
    input: options.input,
    stdin: options.terminal === true ? 'inherit' : options.input === undefined ? 'ignore' : undefined,
    cancelSignal: options.signal,
    forceKillAfterDelay: 5000,
    buffer: take === undefined,
    maxBuffer: MAX_CAPTURE,
    timeout: options.timeout,
    reject: false,
    stripFinalNewline: false,
  } as const)
  const last: string[] = []
  if (take !== undefined) {
    const listen = (stream: 'stdout' | 'stderr') =>
      onLine(child[stream], (line) => {
        last.push(line)
        if (last.length > LAST_LINES) last.shift()
        take(line, stream)
      })
    try {
      await Promise.all([listen('stdout'), listen('stderr')])
    } catch (error) {
      child.kill()
      await child
      throw error
    }
  }
  const result = await child
  throwIfAborted(options.signal)
  const exitCode = result.exitCode ?? -1
  const { stdout = '', stderr = '' } = result as { stdout?: string; stderr?: string }
  if (!(options.accept ?? [0]).includes(exitCode)) {
    throw commandError([file, ...args], describeEnd(result), lastLines(last.join('\n') || stderr || stdout))
  }
  return { exitCode, stdout, stderr }
}

interface End {
  readonly exitCode?: number
  readonly signal?: string
  readonly timedOut: boolean
  readonly isMaxBuffer: boolean
  readonly shortMessage?: string
}

function describeEnd(result: End): string {
  if (result.isMaxBuffer) return `printed more than ${MAX_CAPTURE} characters and was ended`
  if (result.timedOut) return 'took too long and was ended'
  if (result.signal !== undefined) return `was ended by ${result.signal}`
  if (result.exitCode !== undefined) return `failed with exit code ${result.exitCode}`
  return `could not be started (${result.shortMessage ?? 'unknown reason'})`
}

/** The end of what a program said, for an error: its lines, without colours and other control characters. */
export function lastLines(text: string, count = LAST_LINES): string {
  const lines = plainText(text.slice(-MAX_TAIL)).trimEnd().split('\n')
  return lines
    .slice(-count)
    .map((line) => line.slice(0, MAX_QUOTED))
    .join('\n')
}

/** The one wording for a child that failed: its command, how it ended, its last lines. */
export function commandError(argv: readonly string[], how: string, output: string): C2mError {
  const tail = output.trim() === '' ? '' : `; it said:\n${output.replace(/^/gm, '  ')}`
  return new C2mError('C2M_COMMAND_FAILED', `${argv.join(' ')} ${how}${tail}`)
}
