import { errno, run } from '@c2m/process'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectNbd, type NbdClient } from './client.js'
import { interruptedOr, lossError, startError } from './server-errors.js'

export interface ServerProcessOptions {
  /** The disk's name in messages. */
  readonly shown: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal | undefined
}

/** How the process ended. */
export interface ServerEnd {
  /** Absent when it ended as it should. */
  readonly error?: unknown
  /** What it said on its standard error. */
  readonly said: string
}

/** This process, and the programs that a disk is shared with. */
const CLIENTS = 8
/** Milliseconds between two tries to connect. */
const POLL = 5
/** Milliseconds that the process has to end by itself when nobody is connected any more. */
const END_GRACE = 2000
/** Answers of connect(2) as long as nobody listens yet, or not any more. */
const NOBODY_THERE = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET']
/**
 * Keeps glibc (mallopt(3)) from taking the memory of every large request from the kernel anew, page by page: reading is
 * twice as fast. Other C libraries do not look at these.
 */
const MEMORY = { MALLOC_MMAP_THRESHOLD_: '33554432', MALLOC_TRIM_THRESHOLD_: '268435456' }

/** A running qemu-nbd. It ends by itself with its first connection, so that it does not outlive a killed c2m. */
export class ServerProcess {
  readonly #stop = new AbortController()
  readonly #ended: Promise<ServerEnd>
  #alive = true
  #serving = false

  constructor(
    program: string,
    private readonly socket: string,
    node: object,
    private readonly options: ServerProcessOptions,
  ) {
    const { env, signal } = options
    this.#ended = run(
      program,
      ['--read-only', `--shared=${CLIENTS}`, `--socket=${socket}`, `json:${JSON.stringify(node)}`],
      {
        env: { ...MEMORY, ...env, LC_ALL: 'C' },
        signal: signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]),
      },
    )
      .then(
        ({ stderr }) => ({ said: stderr }),
        (error: unknown) => ({ error, said: '' }),
      )
      .finally(() => (this.#alive = false))
  }

  /** Waits as long as it takes to open the disk. @throws C2M_DISK_…, C2M_NBD_…, C2M_INTERRUPTED */
  async connect(): Promise<NbdClient> {
    while (this.#alive) {
      try {
        const client = await connectNbd(this.socket, { explainLoss: (error) => this.#explainLoss(error) })
        this.#serving = true
        return client
      } catch (error) {
        if (!NOBODY_THERE.includes(errno(error) ?? '')) throw error
      }
      await Promise.race([sleep(POLL), this.#ended])
    }
    throw interruptedOr(this.options.signal, startError(await this.#ended, this.options.shown))
  }

  /** @param connected somebody was, so that it ends by itself */
  async end(connected: boolean): Promise<void> {
    if (connected) await this.#wait()
    this.#stop.abort()
    await this.#ended
  }

  async #explainLoss(error: unknown): Promise<unknown> {
    await this.#wait()
    if (this.#alive) return interruptedOr(this.options.signal, error)
    const { shown, signal } = this.options
    const end = await this.#ended
    // it listens before it opens the disk
    return interruptedOr(signal, this.#serving ? lossError(end, shown, error) : startError(end, shown))
  }

  async #wait(): Promise<void> {
    await Promise.race([this.#ended, sleep(END_GRACE, undefined, { ref: false })])
  }
}
