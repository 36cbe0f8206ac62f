import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { C2mError, throwIfAborted } from './errors.js'
import { commandError, lastLines } from './run.js'

/**
 * Streams `source` through a program, e.g. a decompressor. The program ends with the reader: when the reader stops
 * early, when `signal` aborts, and when this process ends. `source` must not reuse the memory of its chunks.
 * @throws C2M_COMMAND_FAILED with the command and its last lines; C2M_INTERRUPTED; whatever `source` throws
 */
export async function* filter(
  file: string,
  args: readonly string[],
  source: AsyncIterable<Uint8Array>,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array> {
  const { execa } = await import('execa')
  throwIfAborted(options.signal)
  const child = execa(file, args, {
    stdio: 'pipe',
    encoding: 'buffer',
    buffer: { stdout: false, stderr: true },
    maxBuffer: 1024 * 1024,
    cancelSignal: options.signal,
    forceKillAfterDelay: 5000,
    reject: false,
  } as const)
  let sourceError: unknown
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* source
    } catch (error) {
      sourceError = error
      throw error
    }
  }
  // a program that ends before it read everything tells why by its exit code, so a broken pipe is no error here
  const feeding = pipeline(Readable.from(watched(), { objectMode: false }), child.stdin).catch(() =>
    child.stdin.destroy(),
  )
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array
    await feeding
    throwIfAborted(options.signal)
    if (sourceError !== undefined) throw sourceError as Error
    const result = await child
    throwIfAborted(options.signal)
    if (result.exitCode !== 0) {
      const how =
        result.exitCode === undefined
          ? `was ended by ${result.signal ?? 'an error'}`
          : `failed with exit code ${result.exitCode}`
      throw commandError([file, ...args], how, lastLines(Buffer.from(result.stderr).toString()))
    }
  } catch (error) {
    throwIfAborted(options.signal)
    if (error instanceof C2mError || sourceError === undefined) throw error
    throw sourceError as Error
  } finally {
    child.kill()
    child.stdin.destroy()
    child.stdout.destroy()
    await feeding
    await child
  }
}
