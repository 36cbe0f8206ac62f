import type { Duplex } from 'node:stream'
import { C2mError, interrupted } from '@c2m/process'
import { consoleTail } from './console-tail.js'

/** Characters of the guest's output that are remembered. */
const LOG_LIMIT = 1024 * 1024
/** A guest prints byte by byte: looking for a pattern at every byte would take longer than the boot. */
const LOOK_EVERY_MS = 20

interface Waiter {
  look(): void
  fail(error: C2mError): void
}

/** The guest's first serial port: what it prints, bounded, and what is typed into it. */
export class SerialConsole {
  readonly #stream: Duplex
  readonly #decoder = new TextDecoder()
  readonly #listeners = new Set<(chunk: Uint8Array) => void>()
  readonly #waiters = new Set<Waiter>()
  #text = ''
  /** How many characters came before #text. */
  #dropped = 0
  /** Where the next wait begins to look, counted from the very first character. */
  #cursor = 0
  #ended: string | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(stream: Duplex) {
    this.#stream = stream
    stream.on('data', (chunk: Uint8Array) => this.#take(chunk))
  }

  /** Bytes as they come; returns the function that ends listening. */
  onOutput(listen: (chunk: Uint8Array) => void): () => void {
    this.#listeners.add(listen)
    return () => this.#listeners.delete(listen)
  }

  /** Types; a line ends with '\r' as the Enter key sends it, or '\n'. */
  send(data: string | Uint8Array): void {
    if (this.#ended === undefined && this.#stream.writable) this.#stream.write(data)
  }

  /** Lets the guest wait until `resume`, for a reader that cannot follow. */
  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  /** The last 1 Mi characters. */
  log(): string {
    return this.#text.slice(-LOG_LIMIT)
  }

  /**
   * Waits for text after the last match.
   * @throws C2M_GUEST_TIMEOUT, C2M_GUEST_ENDED, C2M_INTERRUPTED
   */
  waitFor(pattern: RegExp | string, timeoutMs: number, signal?: AbortSignal): Promise<RegExpExecArray> {
    const what = typeof pattern === 'string' ? JSON.stringify(pattern) : String(pattern)
    const expression = toExpression(pattern)
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        look: () => {
          const from = Math.max(this.#cursor - this.#dropped, 0)
          const match = expression.exec(this.#text.slice(from))
          if (match === null) return
          this.#cursor = this.#dropped + from + match.index + match[0].length
          finish()
          resolve(match)
        },
        fail: (error) => {
          finish()
          reject(error)
        },
      }
      const abort = () => waiter.fail(interrupted())
      const timer = setTimeout(() => {
        const message = `the guest did not print ${what} within ${timeoutMs / 1000} s`
        waiter.fail(this.#error('C2M_GUEST_TIMEOUT', message))
      }, timeoutMs)
      if (signal?.aborted === true) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiters.add(waiter)
      waiter.look()
      if (this.#ended !== undefined && this.#waiters.has(waiter)) waiter.fail(this.#endedError())
    })
  }

  /** No more output will come. */
  end(because: string): void {
    if (this.#ended !== undefined) return
    this.#ended = because
    this.#look()
    for (const waiter of [...this.#waiters]) waiter.fail(this.#endedError())
  }

  #take(chunk: Uint8Array): void {
    this.#text += this.#decoder.decode(chunk, { stream: true })
    const excess = this.#text.length - 2 * LOG_LIMIT
    if (excess > 0) {
      this.#text = this.#text.slice(excess + LOG_LIMIT)
      this.#dropped += excess + LOG_LIMIT
    }
    for (const listen of this.#listeners) listen(chunk)
    if (this.#waiters.size > 0) this.#timer ??= setTimeout(() => this.#look(), LOOK_EVERY_MS)
  }

  #look(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const waiter of [...this.#waiters]) waiter.look()
  }

  #endedError(): C2mError {
    return this.#error('C2M_GUEST_ENDED', this.#ended ?? 'the guest ended')
  }

  #error(code: string, message: string): C2mError {
    return new C2mError(code, `${message}; the end of its console:\n${consoleTail(this.#text)}`)
  }
}

function toExpression(pattern: RegExp | string): RegExp {
  if (typeof pattern === 'string') return new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
}
