import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Firmware } from '@c2m/plugin-api'
import { C2mError, isC2mError, throwIfAborted, type Reporter } from '@c2m/process'
import { chooseAccelerator } from './accelerator.js'
import type { Accelerator } from './architecture.js'
import { describeExit, startGuest, type Guest, type GuestOptions } from './guest.js'
import { consoleTail } from './console-tail.js'
import { shortcomings, VERIFICATION_CHANNEL, VerificationReader, type Verification } from './verification.js'

export interface VerifyOptions extends Pick<
  GuestOptions,
  'disk' | 'format' | 'architecture' | 'memoryMiB' | 'cpus' | 'hardware' | 'accelerator' | 'cache' | 'log' | 'extraArgs'
> {
  /** Each is tried, one after the other. */
  readonly firmwares: readonly Firmware[]
  /** Whether the guest must have an address that is neither loopback nor link-local; default true. */
  readonly networkExpected?: boolean
  /** For each firmware; default five minutes with emulation, two with KVM. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly reporter: Reporter
}

export interface VerifyReport extends Verification {
  readonly firmware: Firmware
  readonly accelerator: Accelerator
  /** From QEMU's start to the guest's message. */
  readonly seconds: number
}

const DEFAULT_TIMEOUT_MS: Readonly<Record<Accelerator, number>> = { kvm: 120_000, tcg: 300_000 }

/** What is printed by guests that will never come up; better told at once than after the timeout. */
const DEAD_ENDS = new RegExp(
  [
    'Kernel panic - not syncing',
    'No bootable device', // SeaBIOS
    'Missing operating system|Operating system not found', // boot sectors
    'rescue> ', // a boot loader without its configuration
    '\\(initramfs\\) ', // shells of initial RAM disks
    'dracut:/#',
    'You are in (emergency|rescue) mode', // systemd
  ].join('|'),
)

/**
 * Boots a disk with each firmware, without changing it, and waits for the guest's own word that it is up: its init has
 * reached its target, no unit failed, the root is writable, the network has an address. The guest reaches neither the
 * host nor the network meanwhile.
 * @throws C2M_VERIFY_FAILED with the reason and the end of the serial console; what startGuest throws
 */
export async function verifyBoot(options: VerifyOptions): Promise<VerifyReport[]> {
  const { reporter, signal } = options
  const choice =
    options.accelerator === undefined
      ? await chooseAccelerator({ architecture: options.architecture, cache: options.cache, signal })
      : { accel: options.accelerator, because: 'asked for' }
  reporter.detail(`accelerator ${choice.accel}: ${choice.because}`)
  const reports: VerifyReport[] = []
  for (const firmware of options.firmwares) {
    reporter.detail(`booting the disk with ${firmware} firmware`)
    const report = await verifyOnce(options, firmware, choice.accel)
    reporter.info(`the machine is up after ${report.seconds.toFixed(1)} s (${firmware}, ${choice.accel})`)
    reports.push(report)
  }
  return reports
}

async function verifyOnce(options: VerifyOptions, firmware: Firmware, accel: Accelerator): Promise<VerifyReport> {
  const { signal, networkExpected = true } = options
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS[accel]
  const started = performance.now()
  await using guest = await startGuest({
    ...options,
    firmware,
    accelerator: accel,
    snapshot: true,
    isolated: true,
    channel: VERIFICATION_CHANNEL,
  })
  const verification = await waitForVerification(guest, timeoutMs).catch((error: unknown) => {
    throwIfAborted(signal)
    throw failure(guest, firmware, isC2mError(error) ? error.message : String(error), error)
  })
  const wrong = shortcomings(verification, networkExpected)
  if (wrong.length > 0) throw failure(guest, firmware, wrong.join('; '))
  return { ...verification, firmware, accelerator: accel, seconds: (performance.now() - started) / 1000 }
}

async function waitForVerification(guest: Guest, timeoutMs: number): Promise<Verification> {
  const { channel } = guest
  if (channel === undefined) throw new TypeError('the guest has no channel')
  const scope = new AbortController()
  try {
    return await Promise.race([
      readVerification(channel),
      guest.exited.then((exit) => fail(`${describeExit(exit)} before it was up`)),
      waitForDeadEnd(guest, timeoutMs, scope.signal),
    ])
  } finally {
    scope.abort()
  }
}

/** The first message; what else the guest writes is dropped. */
async function readVerification(channel: Duplex): Promise<Verification> {
  const reader = new VerificationReader()
  let verification: Verification | undefined
  for await (const chunk of channel.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    verification = reader.push(chunk)
    if (verification !== undefined) break
  }
  channel.resume()
  return verification ?? new Promise<never>(() => undefined) // that the guest ended is another's to tell
}

async function waitForDeadEnd(guest: Guest, timeoutMs: number, signal: AbortSignal): Promise<never> {
  const found = await guest.waitFor(DEAD_ENDS, timeoutMs, signal).catch((error: unknown) => {
    if (!isC2mError(error) || error.code === 'C2M_GUEST_ENDED') return undefined
    if (error.code === 'C2M_GUEST_TIMEOUT') return fail(`it did not report within ${timeoutMs / 1000} s`)
    throw error
  })
  if (found !== undefined) return fail(`it came to a dead end: '${found[0].trim()}'`)
  await once(signal, 'abort') // that the guest ended is another's to tell
  return fail('the wait is over')
}

function fail(message: string): never {
  throw new C2mError('C2M_VERIFY_FAILED', message)
}

function failure(guest: Guest, firmware: Firmware, because: string, cause?: unknown): C2mError {
  const tail = consoleTail(guest.serialLog())
  return new C2mError(
    'C2M_VERIFY_FAILED',
    `the disk did not come up with ${firmware} firmware: ${because}; the end of its console:\n${tail}`,
    { hint: 'look for the first error above, or watch it boot: c2m boot DISK --snapshot', cause },
  )
}
