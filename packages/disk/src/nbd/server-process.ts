import { C2mError, errno, run, throwIfAborted } from '@c2m/process'
import { access } from 'node:fs/promises'
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

/** Milliseconds between two looks for the socket. */
const POLL = 5
/** Milliseconds in which the disk must be open; reading a large table from slow storage takes its time. */
const START_TIMEOUT = 120_000
/** Milliseconds that the process has to end by itself when nobody is connected any more. */
const END_GRACE = 2000
/** Answers of connect(2) as long as nobody listens yet. */
const NOT_YET = ['ENOENT', 'ECONNREFUSED']
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

  constructor(
    program: string,
    private readonly socket: string,
    node: object,
    private readonly options: ServerProcessOptions,
  ) {
    const { env, signal } = options
    this.#ended = run(program, ['--read-only', `--socket=${socket}`, `json:${JSON.stringify(node)}`], {
      env: { ...MEMORY, ...env, LC_ALL: 'C' },
      signal: signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]),
    })
      .then(
        ({ stderr }) => ({ said: stderr }),
        (error: unknown) => ({ error, said: '' }),
      )
      .finally(() => (this.#alive = false))
  }

  /** @throws C2M_DISK_…, C2M_NBD_…, C2M_INTERRUPTED */
  async connect(): Promise<NbdClient> {
    const { shown, signal } = this.options
    const giveUp = Date.now() + START_TIMEOUT
    while (this.#alive && Date.now() < giveUp) {
      // it is there before anybody listens
      if (await exists(this.socket)) {
        try {
          return await connectNbd(this.socket, { explainLoss: (error) => this.#explainLoss(error) })
        } catch (error) {
          if (!NOT_YET.includes(errno(error) ?? '')) throw error
        }
      }
      await Promise.race([sleep(POLL), this.#ended])
    }
    throwIfAborted(signal)
    if (!this.#alive) throw startError(await this.#ended, shown)
    throw new C2mError('C2M_DISK_OPEN', `qemu-nbd did not open ${shown} in ${START_TIMEOUT / 1000} s`, {
      hint: 'check the storage that it lies on',
    })
  }

  /** @param connected somebody was, so that it ends by itself */
  async end(connected: boolean): Promise<void> {
    if (connected) await this.#wait()
    this.#stop.abort()
    await this.#ended
  }

  async #explainLoss(error: unknown): Promise<unknown> {
    await this.#wait()
    const { shown, signal } = this.options
    return interruptedOr(signal, this.#alive ? error : lossError(await this.#ended, shown, error))
  }

  async #wait(): Promise<void> {
    await Promise.race([this.#ended, sleep(END_GRACE, undefined, { ref: false })])
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
