import { spawn, type ChildProcess } from 'node:child_process'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { lastLines, lineReader, onLine } from '@c2m/process'

/** What host programs get: system folders first, since a user's own ones may be closed to the container's root. */
export function hostPath(): string {
  return ['/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', process.env.PATH].filter(Boolean).join(':')
}

export interface ChildOptions {
  cwd?: string
  /** Default: hostPath() and the C locale. */
  env?: Readonly<Record<string, string>>
  /** Default: none. */
  input?: AsyncIterable<Uint8Array> | string
  /** Leaves standard input to the caller, who ends it. */
  keepOpen?: boolean
  /** Takes stdout and stderr line by line; without it, stdout is the caller's to read. */
  onLine?: (line: string) => void
  /** Open files that the program gets as descriptors 4 and up. */
  files?: readonly number[]
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last lines of stderr, or of both with `onLine`. */
  readonly said: string
  /** What was written to descriptor 3. */
  readonly status: string
}

export interface Child {
  readonly process: ChildProcess
  readonly stdin: Writable
  readonly stdout: Readable
  /** Settles when the process has ended and its output is read; rejects when it cannot be started or its input fails. */
  readonly finished: Promise<Exit>
  kill(): void
}

const KEPT_LINES = 20
const MAX_LINE = 4096

/**
 * Starts a program away from this process's terminal and process group, so that Ctrl-C and the image's programs do not
 * meet there.
 */
export function start(argv: readonly string[], options: ChildOptions = {}): Child {
  const [file = '', ...args] = argv
  const child = spawn(file, args, {
    cwd: options.cwd ?? '/',
    env: options.env ?? { PATH: hostPath(), LC_ALL: 'C' },
    stdio: [
      options.input === undefined && options.keepOpen !== true ? 'ignore' : 'pipe',
      ...(['pipe', 'pipe', 'pipe'] as const),
      ...(options.files ?? []),
    ],
    detached: true,
  })
  const kept: string[] = []
  const keep = (line: string) => {
    kept.push(line.slice(0, MAX_LINE))
    if (kept.length > KEPT_LINES) kept.shift()
    options.onLine?.(line)
  }
  const [, stdout, stderr, statusPipe] = child.stdio as unknown as [null, Readable, Readable, Readable]
  const taken = [onLine(stderr, keep), ...(options.onLine === undefined ? [] : [onLine(stdout, keep)])]
  for (const one of taken) one.catch(() => child.kill('SIGKILL'))
  let status = ''
  statusPipe.setEncoding('utf8').on('data', (text: string) => {
    if (status.length < MAX_LINE) status += text
  })
  const ended = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, said: lastLines(kept.join('\n')), status }))
  })
  const finished = Promise.all([ended, feed(child, options.input), ...taken]).then(([exit]) => exit)
  finished.catch(() => undefined) // whoever waits for it hears of it
  return {
    process: child,
    stdin: child.stdin as Writable,
    stdout,
    finished,
    kill: () => child.kill('SIGKILL'),
  }
}

/** A program that ends before it read everything tells why by its exit code; a source that fails ends the program. */
async function feed(child: ChildProcess, input: ChildOptions['input']): Promise<void> {
  const { stdin } = child
  stdin?.on('error', () => undefined)
  if (stdin === null || input === undefined) return
  if (typeof input === 'string') {
    stdin.end(input)
    return
  }
  let failure: unknown
  async function* watched(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* source
    } catch (error) {
      failure = error
      child.kill('SIGKILL')
      throw error
    }
  }
  await pipeline(Readable.from(watched(input), { objectMode: false }), stdin).catch(() => stdin.destroy())
  if (failure !== undefined) throw failure as Error
}

/** The first line that a child writes to stdout; undefined when it ends without one. */
export async function firstLine(child: Child): Promise<string | undefined> {
  return lineReader(child.stdout).nextLine()
}
