import { throwIfAborted } from './errors.js'
import { lineReader } from './lines.js'
import { commandError, lastLines } from './run.js'

export interface DialogueOptions {
  /** Replaces the environment; default: this process's. */
  readonly env?: Record<string, string | undefined>
  readonly signal?: AbortSignal
}

/** A running program that is told something and answers, by turns. Disposing ends it. */
export interface Dialogue extends AsyncDisposable {
  say(text: string | Uint8Array): void
  /** The next line of its standard output, at most 64 KiB of it. @throws C2M_COMMAND_FAILED with its last lines when it ended; C2M_INTERRUPTED */
  hear(): Promise<string>
}

/** Milliseconds that a program has to end when its input ended. */
const END_GRACE = 10_000

/** Starts a program that ends with its standard input, with `signal` and with this process. */
export async function startDialogue(
  file: string,
  args: readonly string[],
  options: DialogueOptions = {},
): Promise<Dialogue> {
  const { execa } = await import('execa')
  throwIfAborted(options.signal)
  const child = execa(file, args, {
    env: options.env,
    extendEnv: options.env === undefined,
    stdin: 'pipe',
    encoding: 'utf8',
    buffer: { stdout: false, stderr: true },
    maxBuffer: 1024 * 1024,
    cancelSignal: options.signal,
    forceKillAfterDelay: 5000,
    reject: false,
  } as const)
  // what is said to a program that has ended is lost; its end is told by hear()
  child.stdin.on('error', () => undefined)
  const lines = lineReader(child.stdout)
  return {
    say: (text) => void child.stdin.write(text),
    async hear() {
      const line = await lines.nextLine().catch(() => undefined) // its end says why
      if (line !== undefined) return line
      const { exitCode, signal, stderr } = await child
      throwIfAborted(options.signal)
      const how = exitCode === undefined ? `was ended by ${signal ?? 'an error'}` : `ended with exit code ${exitCode}`
      throw commandError([file, ...args], how, lastLines(stderr))
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      const grace = setTimeout(() => child.kill(), END_GRACE)
      await child
      clearTimeout(grace)
    },
  }
}
