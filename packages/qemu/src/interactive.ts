import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { C2mError, throwIfAborted, visibleMessage, type Reporter } from '@c2m/process'
import { describeExit, startGuest, type Guest, type GuestOptions } from './guest.js'
import { KeyReader } from './keys.js'

export interface InteractiveOptions extends Omit<GuestOptions, 'channel'> {
  /** Gets to know which keys leave, and how the guest ended; default: lines on standard error. */
  readonly reporter?: Pick<Reporter, 'info'>
  /** Default: this process's standard input. */
  readonly input?: Readable
  /** Default: this process's standard output. */
  readonly output?: Writable
}

/**
 * Runs a disk with its serial console in this terminal until the guest powers off or the user leaves with Ctrl-a x. A
 * guest that reboots goes on, unless `exitOnReboot` is set. The terminal's mode is restored in every case.
 * @returns the exit code for the program, 0
 * @throws what startGuest throws, and C2M_QEMU_FAILED when QEMU dies
 */
export async function bootInteractive(options: InteractiveOptions): Promise<number> {
  const { signal, reporter = stderrReporter } = options
  await using guest = await startGuest({ ...options, exitOnReboot: options.exitOnReboot ?? false })
  reporter.info(`serial console of ${options.disk} (${guest.accelerator.toUpperCase()}); ${HELP}`)
  {
    using terminal = new Terminal(guest, options.input ?? process.stdin, options.output ?? process.stdout, reporter)
    terminal.open()
    await guest.exited
  }
  const exit = await guest.exited
  throwIfAborted(signal)
  const orderly = exit.code === 0 && exit.reason !== undefined
  if (!orderly) throw new C2mError('C2M_QEMU_FAILED', describeExit(exit), { hint: 'its own words above say why' })
  reporter.info(describeExit(exit))
  return 0
}

const HELP = 'Ctrl-a x leaves (a power failure for the guest), Ctrl-a p presses the power button, Ctrl-a h helps'

const stderrReporter: Pick<Reporter, 'info'> = {
  info: (message) => void process.stderr.write(`${visibleMessage(message)}\n`),
}

/** Joins a terminal and the guest's serial console, and parts them again. */
class Terminal implements Disposable {
  readonly #guest: Guest
  readonly #input: Readable & { isTTY?: boolean; isRaw?: boolean; setRawMode?: (raw: boolean) => unknown }
  readonly #output: Writable
  readonly #reporter: Pick<Reporter, 'info'>
  readonly #keys = new KeyReader()
  readonly #undo: (() => unknown)[] = []

  constructor(guest: Guest, input: Readable, output: Writable, reporter: Pick<Reporter, 'info'>) {
    this.#guest = guest
    this.#input = input
    this.#output = output
    this.#reporter = reporter
  }

  open(): void {
    const input = this.#input
    for (const stream of [input, this.#output]) this.#leaveOnError(stream)
    const early = this.#guest.serialLog()
    if (early !== '') this.#show(Buffer.from(early))
    this.#undo.push(this.#guest.onOutput((chunk) => this.#show(chunk)))
    if (input.isTTY === true && input.setRawMode !== undefined) {
      const restore = () => input.setRawMode?.(false)
      input.setRawMode(true)
      process.once('exit', restore)
      this.#undo.push(restore, () => process.removeListener('exit', restore))
    }
    const typed = (chunk: Buffer | string) => this.#type(Buffer.from(chunk))
    input.on('data', typed)
    this.#undo.push(() => {
      input.removeListener('data', typed)
      input.pause() // a stream that flows keeps the process alive
    })
  }

  /** A terminal that is gone, or a pipe that is closed, is somebody who left. */
  #leaveOnError(stream: Readable | Writable): void {
    const leave = () => void this.#guest.quit()
    stream.on('error', leave)
    this.#undo.push(() => stream.removeListener('error', leave))
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo.splice(0).reverse()) undo()
  }

  #show(chunk: Uint8Array): void {
    if (this.#output.write(chunk)) return
    this.#guest.console.pause()
    void once(this.#output, 'drain').then(
      () => this.#guest.console.resume(),
      () => this.#guest.console.resume(),
    )
  }

  #type(chunk: Uint8Array): void {
    const { data, commands } = this.#keys.read(chunk)
    if (data.length > 0) this.#guest.send(data)
    for (const command of commands) {
      if (command === 'leave') void this.#guest.quit()
      if (command === 'power') void this.#guest.powerdown().catch(() => undefined)
      if (command === 'help') this.#reporter.info(HELP)
    }
  }
}
