import { connect, type Socket } from 'node:net'
import { checkBounds } from '../block/bounds.js'
import type { BlockSource, ByteRange } from '../block/source.js'
import { connectionLost } from './errors.js'
import { Intake, type Conversation } from './intake.js'
import { negotiate, type NbdExport } from './negotiation.js'
import { ALLOCATION_ZERO, Command } from './protocol.js'
import { receiveReplies } from './replies.js'
import { Requests, encodeRequest, type Request, type StatusExtent } from './requests.js'

/** Large reads are asked for in parts of this size: the server works on up to 16 of them side by side. */
const READ_PART = 1024 * 1024
/** How much one question for holes covers; its length has 32 bits. */
const STATUS_PART = 1024 * 1024 * 1024

export interface NbdClient extends BlockSource, AsyncDisposable {}

export interface NbdClientOptions {
  /** Gives the error for what was under way when the connection broke, since a server's end often says more. */
  readonly explainLoss?: (error: unknown) => Promise<unknown>
}

/**
 * Connects to an NBD server that serves one export, without a name, on a unix socket.
 * @throws C2M_NBD_PROTOCOL when the server breaks the protocol or lacks what is needed (structured replies, block
 *   status, a read-only export), C2M_NBD_LOST, system errors of the socket
 */
export async function connectNbd(socketPath: string, options: NbdClientOptions = {}): Promise<NbdClient> {
  const connection = new NbdConnection(socketPath, options)
  const { size } = await connection.ready
  return {
    size,
    read: async (offset, target) => {
      checkBounds(size, offset, target.length)
      await connection.read(offset, target)
    },
    data: async function* (offset, length) {
      checkBounds(size, offset, length)
      yield* findData(connection, offset, offset + length)
    },
    [Symbol.asyncDispose]: () => connection.close(),
  }
}

async function* findData(connection: NbdConnection, start: number, end: number): AsyncGenerator<ByteRange> {
  let data: { offset: number; length: number } | undefined
  for (let at = start; at < end;) {
    for (const { length, flags } of await connection.status(at, Math.min(STATUS_PART, end - at))) {
      // the last extent may say more than was asked
      const inside = Math.min(length, end - at)
      if (inside === 0) break
      if ((flags & ALLOCATION_ZERO) !== 0) {
        if (data !== undefined) yield data
        data = undefined
      } else if (data === undefined) {
        data = { offset: at, length: inside }
      } else {
        data.length += inside
      }
      at += inside
    }
  }
  if (data !== undefined) yield data
}

class NbdConnection {
  readonly ready: Promise<NbdExport>
  readonly #socket: Socket
  readonly #requests = new Requests()
  readonly #closed: Promise<void>
  #connected = false
  /** Why nothing can be read any more. */
  #failure: Promise<unknown> | undefined
  #opened: ((info: NbdExport) => void) | undefined
  #refused: ((error: unknown) => void) | undefined

  constructor(
    socketPath: string,
    private readonly options: NbdClientOptions,
  ) {
    this.ready = new Promise((resolve, reject) => {
      this.#opened = resolve
      this.#refused = reject
    })
    const intake = new Intake(this.#converse())
    this.#socket = connect({
      path: socketPath,
      onread: {
        buffer: () => intake.memory(),
        callback: (count) => {
          try {
            intake.received(count)
          } catch (error) {
            this.#fail(Promise.resolve(error))
          }
          return this.#failure === undefined
        },
      },
    })
    this.#socket.once('connect', () => (this.#connected = true))
    this.#socket.on('error', (error) => this.#lose(error))
    this.#socket.on('end', () => this.#lose(connectionLost()))
    this.#closed = new Promise((resolve) => this.#socket.once('close', () => resolve()))
    void this.#closed.then(() => this.#lose(connectionLost()))
  }

  async read(offset: number, target: Uint8Array): Promise<void> {
    const parts: Promise<Request>[] = []
    this.#socket.cork()
    for (let at = 0; at < target.length; at += READ_PART) {
      parts.push(this.#ask(Command.read, offset + at, target.subarray(at, at + READ_PART)))
    }
    this.#socket.uncork()
    // all must have ended before the memory is the caller's again
    const ended = await Promise.allSettled(parts)
    const failed = ended.find((part) => part.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async status(offset: number, length: number): Promise<readonly StatusExtent[]> {
    return (await this.#ask(Command.blockStatus, offset, new Uint8Array(0), length)).extents
  }

  async close(): Promise<void> {
    if (this.#failure === undefined) {
      this.#fail(Promise.resolve(connectionLost()), false)
      this.#socket.end(encodeRequest(Command.disconnect, 0, 0, 0))
      // the server need not answer
      this.#socket.destroySoon()
    }
    await this.#closed
  }

  async #ask(
    command: Request['command'],
    offset: number,
    target: Uint8Array,
    length = target.length,
  ): Promise<Request> {
    if (this.#failure !== undefined) throw await this.#failure
    return new Promise((resolve, reject) => {
      const request = { command, offset, length, target, filled: 0, extents: [], resolve, reject }
      this.#socket.write(this.#requests.add(request))
    })
  }

  *#converse(): Conversation {
    const info = yield* negotiate((bytes) => void this.#socket.write(bytes))
    this.#opened?.(info)
    yield* receiveReplies(this.#requests, info.allocationContext)
  }

  #lose(error: unknown): void {
    const explained = this.#connected ? this.options.explainLoss?.(error) : undefined
    this.#fail(explained ?? Promise.resolve(error))
  }

  #fail(error: Promise<unknown>, destroy = true): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    if (destroy) this.#socket.destroy()
    const end = (reason: unknown) => {
      this.#refused?.(reason)
      this.#requests.failAll(reason)
    }
    void error.then(end, end)
  }
}
