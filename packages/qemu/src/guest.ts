import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { chmod, copyFile, stat, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Firmware } from '@c2m/plugin-api'
import { C2mError, CleanupStack, fileError, plainText, requireTool, throwIfAborted } from '@c2m/process'
import { chooseAccelerator } from './accelerator.js'
import { guestArchitecture, type Accelerator } from './architecture.js'
import { machineArguments, type PortForward } from './arguments.js'
import { startEmulator, type Emulator, type EmulatorExit } from './emulator.js'
import { findFirmware } from './firmware.js'
import { makeGuestFolder } from './guest-folder.js'
import type { GuestHardware } from './hardware.js'
import { QmpClient, type QmpEvent } from './qmp.js'
import { SerialConsole } from './serial-console.js'

export interface GuestOptions {
  /** Path of a file or block device. */
  readonly disk: string
  /** c2m's or QEMU's name of the disk's format, never guessed. */
  readonly format: string
  readonly firmware: Firmware
  /** GOARCH; default: the host's. */
  readonly architecture?: string
  /** Default 1024. */
  readonly memoryMiB?: number
  /** Default: the host's processors, two at most. */
  readonly cpus?: number
  /** The disk stays as it is; what the guest writes is forgotten. */
  readonly snapshot: boolean
  /** Default: virtio for both. */
  readonly hardware?: GuestHardware
  /** TCP ports of the host's loopback interface that lead into the guest. */
  readonly forwards?: readonly PortForward[]
  /** The guest gets an address by DHCP, but reaches neither the host nor the network; forwards work. Default false. */
  readonly isolated?: boolean
  /** Default: what chooseAccelerator says. */
  readonly accelerator?: Accelerator
  /** Where chooseAccelerator remembers its answer; default: c2m's cache folder. */
  readonly cache?: string
  /** Nothing is ever displayed; here for the reader. */
  readonly display?: 'none'
  /** Name of a virtio-serial port, found in the guest as /dev/virtio-ports/NAME and here as `Guest.channel`. */
  readonly channel?: string
  /** Whether a reboot ends the guest, so that one that resets in a loop ends; default true. */
  readonly exitOnReboot?: boolean
  /** Appended to QEMU's command line. */
  readonly extraArgs?: readonly string[]
  readonly signal?: AbortSignal
  /** A file that gets everything the guest prints. */
  readonly log?: string
}

export interface GuestExit extends EmulatorExit {
  /** QEMU's word for why the guest ended, e.g. 'guest-shutdown', 'guest-reset', 'host-qmp-quit'. */
  readonly reason?: string
}

export interface Guest extends AsyncDisposable {
  readonly console: SerialConsole
  readonly channel: Duplex | undefined
  readonly accelerator: Accelerator
  /** Never rejects. */
  readonly exited: Promise<GuestExit>
  /** Bytes of the serial console as they come; returns the function that ends listening. */
  onOutput(listen: (chunk: Uint8Array) => void): () => void
  send(data: string | Uint8Array): void
  /** @throws C2M_GUEST_TIMEOUT, C2M_GUEST_ENDED, C2M_INTERRUPTED */
  waitFor(pattern: RegExp | string, timeoutMs: number, signal?: AbortSignal): Promise<RegExpExecArray>
  /** Presses the power button (ACPI); the guest decides. */
  powerdown(): Promise<void>
  /** Ends QEMU in order, with its own caches written; for the guest it is a power failure. */
  quit(): Promise<GuestExit>
  /** What the guest printed, the last 1 Mi characters. */
  serialLog(): string
}

const HANDSHAKE_MS = 30_000
const QUIT_MS = 5000

/**
 * Starts a disk in QEMU. The guest ends when it powers off or reboots, when `signal` aborts, when it is disposed of or
 * when this process ends; its temporary files go with it.
 * @throws C2M_TOOL_MISSING, C2M_FIRMWARE_MISSING, C2M_QEMU_FAILED, C2M_PORT_IN_USE, C2M_DISK_IN_USE, C2M_FILE_…,
 *   C2M_QEMU_OPTION, C2M_QEMU_HARDWARE, C2M_QEMU_ARCHITECTURE, C2M_INTERRUPTED
 */
export async function startGuest(options: GuestOptions): Promise<Guest> {
  const { signal } = options
  throwIfAborted(signal)
  const architecture = guestArchitecture(options.architecture)
  const program = await requireTool(architecture.program, 'running a disk', architecture.aptPackage)
  const diskDriver = await driverOf(options.disk)
  const firmware = await findFirmware(options.firmware, architecture.name)
  const accel =
    options.accelerator ??
    (await chooseAccelerator({ architecture: architecture.name, cache: options.cache, signal })).accel

  await using undo = new CleanupStack()
  const vars = firmware.varsTemplate === undefined ? undefined : await copyVars(firmware.varsTemplate, undo)
  const args = machineArguments({
    ...options,
    architecture,
    accel,
    firmware,
    vars,
    disk: resolve(options.disk),
    diskDriver,
    memoryMiB: options.memoryMiB ?? 1024,
    cpus: options.cpus ?? Math.min(2, availableParallelism()),
    isolated: options.isolated ?? false,
    exitOnReboot: options.exitOnReboot ?? true,
  })
  throwIfAborted(signal)
  if (options.log !== undefined) await checkWritable(options.log)
  const emulator = await startEmulator(program, args, options.channel === undefined ? 2 : 3)
  const guest = new RunningGuest(emulator, accel, undo.release())
  await guest.connect(options.log, signal)
  return guest
}

async function driverOf(disk: string): Promise<'file' | 'host_device'> {
  try {
    return (await stat(disk)).isBlockDevice() ? 'host_device' : 'file'
  } catch (error) {
    throw fileError(error, disk, 'read')
  }
}

/** UEFI writes its variables: each guest gets a store of its own. */
async function copyVars(template: string, undo: CleanupStack): Promise<string> {
  const folder = await makeGuestFolder()
  undo.defer(() => folder[Symbol.asyncDispose]())
  const vars = join(folder.path, 'vars.fd')
  await copyFile(template, vars)
  await chmod(vars, 0o600)
  return vars
}

async function checkWritable(log: string): Promise<void> {
  try {
    await writeFile(log, '')
  } catch (error) {
    throw fileError(error, log, 'write')
  }
}

class RunningGuest implements Guest {
  readonly console: SerialConsole
  readonly channel: Duplex | undefined
  readonly accelerator: Accelerator
  readonly exited: Promise<GuestExit>
  readonly #emulator: Emulator
  readonly #qmpSocket: Duplex
  /** What goes when QEMU is gone. */
  readonly #files: CleanupStack
  #qmp: QmpClient | undefined
  #reason: string | undefined
  #trouble = ''

  constructor(emulator: Emulator, accelerator: Accelerator, files: CleanupStack) {
    const [serial, qmp, channel] = emulator.sockets
    if (serial === undefined || qmp === undefined) throw new TypeError('the emulator lacks a socket')
    this.#emulator = emulator
    this.#qmpSocket = qmp
    this.accelerator = accelerator
    this.channel = channel
    this.console = new SerialConsole(serial)
    this.#files = files
    this.exited = emulator.exited.then(async (exit) => {
      await this.#files[Symbol.asyncDispose]().catch(() => undefined)
      const stderr = exit.stderr + this.#trouble
      this.console.end(describeExit({ ...exit, stderr, reason: this.#reason }))
      return { ...exit, stderr, reason: this.#reason }
    })
  }

  /** Waits until QEMU has opened all that its command line names. */
  async connect(log: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (log !== undefined) this.#logTo(log)
    const abort = () => void this.#emulator.end(QUIT_MS)
    signal?.addEventListener('abort', abort, { once: true })
    void this.exited.then(() => signal?.removeEventListener('abort', abort))
    const timer = setTimeout(() => void this.#emulator.end(0), HANDSHAKE_MS)
    try {
      this.#qmp = await QmpClient.connect(this.#qmpSocket, (event) => void this.#event(event))
    } catch {
      await this.#emulator.end(0)
      const exit = await this.exited
      throwIfAborted(signal)
      throw startError(exit)
    } finally {
      clearTimeout(timer)
    }
    if (signal?.aborted === true) await this.exited
    throwIfAborted(signal)
  }

  onOutput(listen: (chunk: Uint8Array) => void): () => void {
    return this.console.onOutput(listen)
  }

  send(data: string | Uint8Array): void {
    this.console.send(data)
  }

  waitFor(pattern: RegExp | string, timeoutMs: number, signal?: AbortSignal): Promise<RegExpExecArray> {
    return this.console.waitFor(pattern, timeoutMs, signal)
  }

  async powerdown(): Promise<void> {
    await this.#qmp?.execute('system_powerdown')
  }

  async quit(): Promise<GuestExit> {
    void this.#qmp?.execute('quit').catch(() => undefined) // it may end before it answers
    const timer = new AbortController()
    await Promise.race([this.exited, delay(QUIT_MS, undefined, { signal: timer.signal }).catch(() => undefined)])
    timer.abort()
    await this.#emulator.end(0)
    return this.exited
  }

  serialLog(): string {
    return this.console.log()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.quit()
  }

  async #event({ event, data }: QmpEvent): Promise<void> {
    if (event === 'SHUTDOWN' && typeof data.reason === 'string') this.#reason ??= data.reason
    if (event !== 'STOP') return
    // QEMU stops a guest that it cannot go on with, and would wait for ever
    const status = await this.#qmp?.execute('query-status').catch(() => undefined)
    const name = (status as { status?: unknown } | undefined)?.status
    if (name !== 'internal-error' && name !== 'io-error') return
    this.#reason ??= String(name)
    this.#trouble = `QEMU stopped the guest: ${String(name)}\n`
    await this.#emulator.end(0)
  }

  #logTo(path: string): void {
    const file = createWriteStream(path)
    file.on('error', (error) => {
      this.#trouble = `cannot write ${path}: ${error.message}\n`
      void this.#emulator.end(0)
    })
    // a guest that prints faster than the file takes it has to wait
    const stop = this.console.onOutput((chunk) => {
      if (file.write(chunk)) return
      this.console.pause()
      file.once('drain', () => this.console.resume())
    })
    file.once('close', () => this.console.resume())
    this.#files.defer(async () => {
      stop()
      if (file.destroyed) return
      file.end()
      await once(file, 'close')
    })
  }
}

/** One clause, e.g. 'the guest rebooted'. */
export function describeExit(exit: GuestExit): string {
  const words: Record<string, string> = {
    'guest-shutdown': 'the guest powered off',
    'guest-reset': 'the guest rebooted',
    'guest-panic': 'the guest panicked',
    'host-qmp-quit': 'QEMU was told to quit',
  }
  const known = exit.reason === undefined ? undefined : words[exit.reason]
  if (known !== undefined) return known
  const said = plainText(exit.stderr).trim()
  const how = exit.signal !== undefined ? `by signal ${exit.signal}` : `with exit code ${exit.code ?? 'unknown'}`
  return said === '' ? `QEMU ended ${how}` : `QEMU ended ${how} and said: ${said}`
}

function startError(exit: EmulatorExit): C2mError {
  const said =
    plainText(exit.stderr).trim() || `nothing (exit code ${exit.code ?? 'unknown'}, signal ${exit.signal ?? 'none'})`
  if (/host forwarding rule/.test(said)) {
    const hint = 'another program listens there; choose another port of the host'
    return new C2mError('C2M_PORT_IN_USE', `QEMU cannot forward a port: ${said}`, { hint })
  }
  if (/Failed to (get|lock)|Is another process using/.test(said)) {
    const hint = 'end the program that uses the disk, or run it without writing to it (snapshot)'
    return new C2mError('C2M_DISK_IN_USE', `the disk is in use: ${said}`, { hint })
  }
  return new C2mError('C2M_QEMU_FAILED', `QEMU did not start; it said: ${said}`, {
    hint: 'check the format of the disk and the options',
  })
}
