import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fileError, throwIfAborted } from './errors.js'
import { onLine } from './lines.js'

export interface RunToFileOptions {
  /** Replaces the environment; default: this process's. */
  readonly env?: Record<string, string | undefined>
  readonly signal?: AbortSignal
  /** Called with each line of stderr as it comes, at most 64 KiB of it. */
  readonly onLine?: (line: string) => void
  /** Called with the number of bytes of each piece that was written; what it throws ends the program. */
  readonly onBytes?: (bytes: number) => void | Promise<void>
}

export interface RunToFileResult {
  /** -1 when a signal ended it, or it could not be started. */
  readonly exitCode: number
  /** Bytes in the file. */
  readonly bytes: number
}

/**
 * Runs a program to its end, its standard output into a new file that only this user can read. Whether its exit code is a
 * failure is for the caller to say. It gets SIGTERM when `signal` aborts or this process ends, SIGKILL five seconds later.
 * @throws C2M_FILE_… when the file cannot be written (the program is then ended); C2M_INTERRUPTED
 */
export async function runToFile(
  file: string,
  args: readonly string[],
  path: string,
  options: RunToFileOptions = {},
): Promise<RunToFileResult> {
  const { execa } = await import('execa')
  throwIfAborted(options.signal)
  const child = execa(file, args, {
    env: options.env,
    extendEnv: options.env === undefined,
    stdin: 'ignore',
    encoding: 'buffer',
    buffer: false,
    cancelSignal: options.signal,
    forceKillAfterDelay: 5000,
    reject: false,
  } as const)
  const listening = onLine(child.stderr, (line) => options.onLine?.(line))
  listening.catch(() => child.kill()) // thrown again below
  let bytes = 0
  async function* counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      yield chunk
      bytes += chunk.length
      await options.onBytes?.(chunk.length)
    }
  }
  try {
    await pipeline(child.stdout, counted, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
  } catch (error) {
    child.kill()
    await child
    throwIfAborted(options.signal)
    throw fileError(error, path, 'write')
  }
  const { exitCode } = await child
  await listening
  throwIfAborted(options.signal)
  return { exitCode: exitCode ?? -1, bytes }
}
