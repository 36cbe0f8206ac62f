import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { C2mError, errno, fileError, interrupted, throwIfAborted, usageError } from '@c2m/process'

/** @throws C2M_OUTPUT_TERMINAL (usage) */
export function checkStandardOutput(stdout: Writable): void {
  if ((stdout as { isTTY?: boolean }).isTTY !== true) return
  throw usageError('C2M_OUTPUT_TERMINAL', 'an archive cannot be written to a terminal', 'name a file, or pipe it on')
}

export interface Outlet extends Disposable {
  /** Fulfilled when there is room for more. */
  write(chunk: Uint8Array): Promise<void>
  /** Fulfilled when all is handed over; the stream stays open. */
  end(): Promise<void>
}

/**
 * Writes to standard output at its reader's pace. Its methods throw C2M_OUTPUT_CLOSED when the reader goes away, and
 * C2M_INTERRUPTED.
 */
export function createOutlet(stdout: Writable, signal: AbortSignal | undefined): Outlet {
  let failure: Error | undefined
  let wake = () => {}
  let drained = () => {}
  const onError = (error: Error) => {
    failure ??= error
    wake()
  }
  const onClose = () => onError(new Error('it was closed'))
  const onDrain = () => drained()
  const onAbort = () => wake()
  stdout.on('error', onError).on('close', onClose).on('drain', onDrain)
  signal?.addEventListener('abort', onAbort)
  const check = () => {
    throwIfAborted(signal)
    if (failure !== undefined) throw closed(failure)
  }
  /** Waits for room, or until all is handed over; at most until an error, the stream's end or an abort. */
  const send = async (chunk: Uint8Array, all: boolean) => {
    check()
    await new Promise<void>((resolve) => {
      wake = resolve
      drained = all ? () => {} : resolve
      const hasRoom = stdout.write(chunk, (error) => {
        if (error) onError(error)
        else if (all) resolve()
      })
      if (hasRoom && !all) resolve()
    })
    check()
  }
  return {
    write: (chunk) => send(chunk, false),
    end: () => send(new Uint8Array(0), true),
    [Symbol.dispose]: () => {
      stdout.off('error', onError).off('close', onClose).off('drain', onDrain)
      signal?.removeEventListener('abort', onAbort)
    },
  }
}

/** Copies a spooled file to standard output and removes it. */
export async function sendFile(path: string, stdout: Writable, signal: AbortSignal | undefined): Promise<void> {
  using outlet = createOutlet(stdout, signal)
  try {
    const file = createReadStream(path, { highWaterMark: 512 * 1024, signal }) as AsyncIterable<Uint8Array>
    for await (const chunk of file) await outlet.write(chunk)
    await outlet.end()
  } catch (error) {
    if (signal?.aborted === true) throw interrupted()
    throw fileError(error, path, 'read')
  } finally {
    await rm(path, { force: true })
  }
}

function closed(cause: Error): C2mError {
  const why = errno(cause) === 'EPIPE' ? 'its reader has ended' : cause.message
  return new C2mError('C2M_OUTPUT_CLOSED', `cannot write to standard output: ${why}`, {
    hint: 'look at what the next program in the pipe said',
    cause,
  })
}
