import type { Accelerator, FirmwareFiles, GuestArchitecture } from './architecture.js'
import { DEFAULT_HARDWARE, hardwareArguments, type GuestHardware } from './hardware.js'
import { usageError } from '@c2m/process'

export interface PortForward {
  readonly hostPort: number
  readonly guestPort: number
}

/** Everything that decides QEMU's command line. */
export interface MachineDescription {
  readonly architecture: GuestArchitecture
  readonly accel: Accelerator
  readonly firmware: FirmwareFiles
  /** The guest's own copy of the variable store. */
  readonly vars?: string
  readonly disk: string
  /** 'host_device' for a block device. */
  readonly diskDriver: 'file' | 'host_device'
  readonly format: string
  readonly snapshot: boolean
  readonly memoryMiB: number
  readonly cpus: number
  readonly hardware?: GuestHardware
  readonly forwards?: readonly PortForward[]
  /** The guest gets an address, but reaches neither the host nor the network. */
  readonly isolated: boolean
  readonly exitOnReboot: boolean
  /** Name of a virtio-serial port. */
  readonly channel?: string
  readonly extraArgs?: readonly string[]
}

/** The child's file descriptors that `machineArguments` uses. */
export const FILE_DESCRIPTORS = { serial: 3, qmp: 4, channel: 5 } as const

/** @throws C2M_QEMU_HARDWARE, C2M_QEMU_OPTION */
export function machineArguments(machine: MachineDescription): string[] {
  const { architecture, accel } = machine
  const hardware = machine.hardware ?? DEFAULT_HARDWARE
  return [
    ...['-nodefaults', '-no-user-config', '-machine', architecture.machine],
    ...['-accel', accel === 'tcg' ? 'tcg,thread=multi' : accel, '-cpu', architecture.cpu[accel]],
    ...['-m', String(integer(machine.memoryMiB, 64, 1 << 20, 'memory in MiB'))],
    ...['-smp', String(integer(machine.cpus, 1, 255, 'number of processors'))],
    ...['-rtc', 'base=utc', '-display', 'none', '-boot', 'strict=on', ...architecture.graphics],
    ...(machine.exitOnReboot ? ['-no-reboot'] : []),
    ...firmwareArguments(machine),
    ...['-drive', diskDrive(machine)],
    ...hardwareArguments(hardware),
    ...networkArguments(machine, hardware),
    // guests wait for entropy at their first boot, for the keys of sshd for one
    ...['-object', 'rng-builtin,id=rng0', '-device', 'virtio-rng-pci,rng=rng0'],
    ...['-chardev', `socket,id=serial0,fd=${FILE_DESCRIPTORS.serial}`, '-serial', 'chardev:serial0'],
    ...['-chardev', `socket,id=qmp0,fd=${FILE_DESCRIPTORS.qmp}`, '-mon', 'chardev=qmp0,mode=control'],
    ...channelArguments(machine.channel),
    ...(machine.extraArgs ?? []),
  ]
}

/** How c2m and QEMU name one format; other names pass unchanged. */
const FORMAT_NAMES: Readonly<Record<string, string>> = { img: 'raw', vhd: 'vpc' }

function diskDrive(machine: MachineDescription): string {
  // one that is guessed would let the guest write a header that makes the next start open any file of the host
  if (!/^[a-z0-9-]{1,32}$/.test(machine.format)) {
    throw usageError('C2M_QEMU_OPTION', `'${machine.format}' is no disk format`, 'name one, e.g. raw or qcow2')
  }
  const format = FORMAT_NAMES[machine.format] ?? machine.format
  return [
    `if=none,id=disk0,format=${format}`,
    // with a driver named, a path such as 'nbd:…' is a path
    `file.driver=${machine.diskDriver},file.filename=${escapeValue(machine.disk)}`,
    machine.snapshot ? 'snapshot=on,cache=unsafe' : 'discard=unmap',
  ].join(',')
}

function firmwareArguments(machine: MachineDescription): string[] {
  if (machine.vars === undefined) return ['-bios', machine.firmware.code]
  const flash = (unit: number, path: string, more: string) => [
    '-drive',
    `if=pflash,unit=${unit},format=raw${more},file.driver=file,file.filename=${escapeValue(path)}`,
  ]
  return [...flash(0, machine.firmware.code, ',readonly=on'), ...flash(1, machine.vars, '')]
}

function networkArguments(machine: MachineDescription, hardware: GuestHardware): string[] {
  if (hardware.network === 'none') return []
  const forwards = (machine.forwards ?? []).map(({ hostPort, guestPort }) => {
    const host = integer(hostPort, 1, 65535, 'port of the host')
    return `,hostfwd=tcp:127.0.0.1:${host}-:${integer(guestPort, 1, 65535, 'port of the guest')}`
  })
  return ['-netdev', `user,id=net0${machine.isolated ? ',restrict=on' : ''}${forwards.join('')}`]
}

function channelArguments(name: string | undefined): string[] {
  if (name === undefined) return []
  return [
    ...['-device', 'virtio-serial-pci'],
    ...['-chardev', `socket,id=channel0,fd=${FILE_DESCRIPTORS.channel}`],
    ...['-device', `virtserialport,chardev=channel0,name=${escapeValue(name)}`],
  ]
}

/** A comma separates QEMU's options; two are one. */
function escapeValue(text: string): string {
  return text.replaceAll(',', ',,')
}

function integer(value: number, minimum: number, maximum: number, what: string): number {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value
  throw usageError('C2M_QEMU_OPTION', `${value} is no ${what}`, `give a whole number from ${minimum} to ${maximum}`)
}
