import { constants } from 'node:fs'
import { access, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  bootId,
  cacheFolder,
  checkCacheFolder,
  errno,
  makeCacheSubfolder,
  requireTool,
  throwIfAborted,
} from '@c2m/process'
import { guestArchitecture, type Accelerator, type GuestArchitecture } from './architecture.js'
import { startEmulator } from './emulator.js'
import { makeGuestFolder } from './guest-folder.js'
import { MARKER, probeDisk } from './probe-program.js'
import { SerialConsole } from './serial-console.js'

export interface AcceleratorChoice {
  readonly accel: Accelerator
  /** For the user, e.g. 'KVM ran a test guest'. */
  readonly because: string
}

export interface AcceleratorOptions {
  /** GOARCH of the guest; default: the host's. */
  readonly architecture?: string
  /** Where the answer is remembered until the host is booted again; default: c2m's cache folder. */
  readonly cache?: string
  readonly signal?: AbortSignal
}

const PROBE_MS = 2000
/** In the cache's folder qemu/. */
const FILE = 'accelerator.json'

/**
 * KVM where it really works, else QEMU's own emulation (TCG). A /dev/kvm proves nothing (nested virtualisation may die
 * at the guest's first instructions), so a tiny guest is started once per boot of the host.
 * @throws C2M_TOOL_MISSING, C2M_INTERRUPTED
 */
export async function chooseAccelerator(options: AcceleratorOptions = {}): Promise<AcceleratorChoice> {
  const guest = guestArchitecture(options.architecture)
  const program = await requireTool(guest.program, 'running a disk', guest.aptPackage)
  if (guest.nodeName !== process.arch) {
    return { accel: 'tcg', because: `a guest of architecture ${guest.name} can only be emulated on this host` }
  }
  const obstacle = await findObstacle()
  if (obstacle !== undefined) return { accel: 'tcg', because: obstacle }
  if (guest.name !== 'amd64')
    return { accel: 'kvm', because: '/dev/kvm may be used (not tried: there is no test guest)' }

  const cache = options.cache ?? cacheFolder()
  const key = [await bootId(), program]
  const remembered = await recall(cache, key)
  if (remembered !== undefined) return remembered
  const choice = await probe(guest, program, 'kvm', options.signal)
  await remember(cache, key, choice)
  return choice
}

async function findObstacle(): Promise<string | undefined> {
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK)
    return undefined
  } catch (error) {
    if (errno(error) === 'ENOENT') return 'this host has no /dev/kvm'
    return 'this user may not use /dev/kvm (membership in the group kvm allows it)'
  }
}

/** Starts the test guest with `accel`; exported for the tests, which run it with an accelerator that works everywhere. */
export async function probe(
  guest: GuestArchitecture,
  program: string,
  accel: Accelerator,
  signal?: AbortSignal,
): Promise<AcceleratorChoice> {
  throwIfAborted(signal)
  await using folder = await makeGuestFolder()
  const disk = join(folder.path, 'probe.raw')
  await writeFile(disk, probeDisk())
  const emulator = await startEmulator(program, probeArguments(guest, accel, disk), 1)
  const [serial] = emulator.sockets
  if (serial === undefined) throw new TypeError('the emulator has no socket')
  const output = new SerialConsole(serial)
  void emulator.exited.then(() => output.end('QEMU ended'))
  const name = accel.toUpperCase()
  try {
    await output.waitFor(MARKER, PROBE_MS, signal)
    return { accel, because: `${name} ran a test guest` }
  } catch {
    throwIfAborted(signal)
    const [complaint] = emulator.stderr().trim().split('\n')
    const why = complaint ? `: ${complaint.replace(/^\S+: /, '')}` : ` within ${PROBE_MS / 1000} s`
    return { accel: 'tcg', because: `/dev/kvm is there, but ${name} could not run a test guest${why}` }
  } finally {
    await emulator.end(0)
  }
}

function probeArguments(guest: GuestArchitecture, accel: Accelerator, disk: string): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-machine', guest.machine, '-accel', accel, '-cpu', guest.cpu[accel]],
    ...['-m', '64', '-display', 'none', '-no-reboot'],
    ...[
      '-drive',
      `if=none,id=disk0,format=raw,readonly=on,file.driver=file,file.filename=${disk.replaceAll(',', ',,')}`,
    ],
    ...['-device', 'virtio-blk-pci,drive=disk0,bootindex=0', '-boot', 'strict=on'],
    ...['-chardev', 'socket,id=serial0,fd=3', '-serial', 'chardev:serial0'],
    ...['-device', 'isa-debug-exit,iobase=0x1f4'],
  ]
}

type Key = readonly (string | undefined)[]

async function recall(cache: string, key: Key): Promise<AcceleratorChoice | undefined> {
  if (key.includes(undefined)) return undefined
  try {
    if (!(await checkCacheFolder(cache))) return undefined
    const saved = JSON.parse(await readFile(join(cache, 'qemu', FILE), 'utf8')) as {
      key?: unknown
    } & Partial<AcceleratorChoice>
    if (JSON.stringify(saved.key) !== JSON.stringify(key) || typeof saved.because !== 'string') return undefined
    return saved.accel === 'kvm' || saved.accel === 'tcg' ? { accel: saved.accel, because: saved.because } : undefined
  } catch {
    return undefined
  }
}

async function remember(cache: string, key: Key, choice: AcceleratorChoice): Promise<void> {
  if (key.includes(undefined)) return
  try {
    const folder = await makeCacheSubfolder(cache, 'qemu')
    const beside = join(folder, `${FILE}.${process.pid}`)
    await writeFile(beside, JSON.stringify({ key, ...choice }), { mode: 0o600 })
    await rename(beside, join(folder, FILE))
  } catch {
    // a cache that cannot be written only costs time
  }
}
