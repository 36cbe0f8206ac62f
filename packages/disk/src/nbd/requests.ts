import type { C2mError } from '@c2m/process'
import { protocolError } from './errors.js'
import { Command, REQUEST_MAGIC } from './protocol.js'

export interface StatusExtent {
  /** Bytes. */
  readonly length: number
  /** Flags of the context base:allocation. */
  readonly flags: number
}

/** A request that waits for its reply. */
export interface Request {
  readonly command: typeof Command.read | typeof Command.blockStatus
  /** Bytes from the start of the disk. */
  readonly offset: number
  readonly length: number
  /** A read's memory. */
  readonly target: Uint8Array
  /** Bytes of `target` that are filled. */
  filled: number
  extents: StatusExtent[]
  error?: C2mError
  readonly resolve: (request: Request) => void
  readonly reject: (error: unknown) => void
}

/** The requests under way, by the cookie that their replies carry. */
export class Requests {
  readonly #waiting = new Map<number, Request>()
  #lastCookie = 0

  get size(): number {
    return this.#waiting.size
  }

  /** @returns the message for the server */
  add(request: Request): Buffer {
    const cookie = ++this.#lastCookie
    this.#waiting.set(cookie, request)
    return encodeRequest(request.command, cookie, request.offset, request.length)
  }

  /** @throws C2M_NBD_PROTOCOL */
  find(cookie: bigint): Request {
    const request = this.#waiting.get(Number(cookie))
    if (request === undefined) throw protocolError('sent a reply that nobody asked for')
    return request
  }

  /** Ends a request whose reply is complete. @throws C2M_NBD_PROTOCOL */
  finish(cookie: bigint): void {
    const request = this.find(cookie)
    this.#waiting.delete(Number(cookie))
    if (request.error !== undefined) {
      request.reject(request.error)
      return
    }
    const complete = request.command === Command.read ? request.filled === request.length : request.extents.length > 0
    if (!complete) {
      const error = protocolError('sent only a part of what was asked for')
      request.reject(error)
      throw error
    }
    request.resolve(request)
  }

  failAll(error: unknown): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const request of waiting) request.reject(error)
  }
}

export function encodeRequest(command: number, cookie: number, offset: number, length: number): Buffer {
  const message = Buffer.alloc(28)
  message.writeUInt32BE(REQUEST_MAGIC, 0)
  message.writeUInt16BE(command, 6)
  message.writeBigUInt64BE(BigInt(cookie), 8)
  message.writeBigUInt64BE(BigInt(offset), 16)
  message.writeUInt32BE(length, 24)
  return message
}
