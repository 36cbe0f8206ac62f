import {
  C2mError,
  findAbandoned,
  interrupted,
  isC2mError,
  lastLines,
  makeTemporaryFolder,
  requireTool,
  run,
  throwIfAborted,
  temporaryPrefix,
  type TemporaryFolder,
} from '@c2m/process'
import { access, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BlockSource } from '../block/source.js'
import { diskInUse } from '../open/in-use.js'
import { connectNbd, type NbdClient } from './client.js'

export interface QemuNbdOptions {
  readonly signal?: AbortSignal
  /** Of the child; TMPDIR says where the socket's folder goes. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv
}

/** sockaddr_un has 108 bytes with the final NUL (unix(7)). */
const MAX_SOCKET_PATH = 107
/** Milliseconds between two looks for the socket. */
const POLL = 5
/** Milliseconds in which the child must have opened the disk; reading a large table from a slow disk takes its time. */
const START_TIMEOUT = 120_000
/** Milliseconds that the child has to end by itself when nobody is connected any more. */
const END_GRACE = 2000
/**
 * Keeps glibc (mallopt(3)) from taking the memory of every large request from the kernel anew, page by page: reading is
 * twice as fast. Other C libraries do not look at these.
 */
const MEMORY = { MALLOC_MMAP_THRESHOLD_: '33554432', MALLOC_TRIM_THRESHOLD_: '268435456' }

/**
 * Starts qemu-nbd on a unix socket in a private folder and connects to it; disposing ends it and removes the folder.
 * @param node QEMU's description of the disk (qemu(1), -blockdev), with a driver for every file of it, so that QEMU
 *   guesses nothing
 * @param shown the disk's name in messages
 * @throws C2M_TOOL_MISSING, C2M_DISK_IN_USE, C2M_DISK_UNCLEAN, C2M_DISK_OPEN with qemu-nbd's last lines, C2M_NBD_…,
 *   C2M_INTERRUPTED
 */
export async function serveDisk(
  node: object,
  shown: string,
  options: QemuNbdOptions = {},
): Promise<BlockSource & AsyncDisposable> {
  throwIfAborted(options.signal)
  const program = await requireTool('qemu-nbd', 'reading this disk format', 'qemu-utils')
  const env = options.env ?? process.env
  const folder = await makeSocketFolder(env.TMPDIR ?? tmpdir())
  const child = new Child(program, join(folder.path, 's'), node, { shown, env, signal: options.signal })
  let client: NbdClient | undefined
  const stop = async () => {
    await client?.[Symbol.asyncDispose]()
    await child.end(client !== undefined)
    await folder[Symbol.asyncDispose]()
  }
  try {
    await child.listening()
    client = await connectNbd(child.socket, { explainLoss: (error) => child.explain(error) })
    return { ...client, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Only this user can enter it. What killed runs left is swept first. */
async function makeSocketFolder(parent: string): Promise<TemporaryFolder> {
  const prefix = await temporaryPrefix('c2m-nbd')
  const sample = join(parent, `${prefix}.4194304.18446744073709551615.XXXXXX`, 's')
  const short = Buffer.byteLength(sample) > MAX_SOCKET_PATH ? '/tmp' : parent
  for (const path of await findAbandoned(short, prefix)) {
    await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
  return makeTemporaryFolder(short, prefix)
}

interface ChildOptions {
  readonly shown: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal | undefined
}

/** A running qemu-nbd. It ends by itself with its first connection, so that it does not outlive a killed c2m. */
class Child {
  readonly #stop = new AbortController()
  readonly #ended: Promise<unknown>
  #alive = true

  constructor(
    program: string,
    readonly socket: string,
    node: object,
    private readonly options: ChildOptions,
  ) {
    const { env, signal } = options
    const signals = signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal])
    this.#ended = run(program, ['--read-only', `--socket=${socket}`, `json:${JSON.stringify(node)}`], {
      env: { ...MEMORY, ...env, LC_ALL: 'C' },
      signal: signals,
    })
      .then(
        () => undefined,
        (error: unknown) => error,
      )
      .finally(() => (this.#alive = false))
  }

  /** Waits for the socket. */
  async listening(): Promise<void> {
    const giveUp = Date.now() + START_TIMEOUT
    while (this.#alive && Date.now() < giveUp) {
      // qemu-nbd makes the socket after it has opened the disk, and listens at once
      if (await exists(this.socket)) return
      await Promise.race([sleep(POLL), this.#ended])
    }
    throw this.#alive
      ? new C2mError('C2M_DISK_OPEN', `qemu-nbd did not open ${this.options.shown} in ${START_TIMEOUT / 1000} s`, {
          hint: 'check the storage that it lies on',
        })
      : await this.explain(undefined)
  }

  /** Why the child is gone, or `error` when it is not. */
  async explain(error: unknown): Promise<unknown> {
    await Promise.race([this.#ended, sleep(END_GRACE, undefined, { ref: false })])
    if (this.options.signal?.aborted === true) return interrupted()
    if (this.#alive) return error
    return openError(await this.#ended, this.options.shown) ?? error
  }

  /** @param connected somebody was, so that it ends by itself */
  async end(connected: boolean): Promise<void> {
    await Promise.race([this.#ended, sleep(connected ? END_GRACE : 0)])
    this.#stop.abort()
    await this.#ended
  }
}

/** What a child that failed said, in terms of the user's disk. */
function openError(cause: unknown, shown: string): unknown {
  if (!isC2mError(cause)) return cause
  if (cause.code !== 'C2M_COMMAND_FAILED') return cause
  const text = cause.message
  if (/Failed to get .*lock|Is another process using the image/.test(text)) return diskInUse(shown, cause)
  if (/log that needs to be replayed/.test(text)) {
    return new C2mError('C2M_DISK_UNCLEAN', `${shown} was not closed cleanly: its log holds changes to its tables`, {
      hint: 'start and shut down its machine, or replay the log of a copy: qemu-img check -r all',
      cause,
    })
  }
  return new C2mError('C2M_DISK_OPEN', `qemu-nbd cannot read ${shown}: ${saidBy(text)}`, {
    hint: 'check the image with qemu-img check',
    cause,
  })
}

/** Without QEMU's repetition of the whole description of the disk. */
function saidBy(text: string): string {
  const lines = lastLines(text, 3).replace(/qemu-nbd: /g, '')
  return lines
    .replace(/Failed to blk_new_open 'json:.*': /g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
