import { C2mError, ExitCode } from '@c2m/process'

export type Accelerator = 'kvm' | 'tcg'

/** A firmware image and the template of its variable store, by path. */
export interface FirmwareFiles {
  readonly code: string
  readonly varsTemplate?: string
}

/** What differs between guest architectures; everything else in this package is the same for all. */
export interface GuestArchitecture {
  /** GOARCH. */
  readonly name: string
  /** As Node's process.arch names it. */
  readonly nodeName: string
  readonly program: string
  readonly aptPackage: string
  readonly machine: string
  readonly cpu: Readonly<Record<Accelerator, string>>
  /** A graphics card, as every PC has one; nothing is displayed. */
  readonly graphics: readonly string[]
  /** BIOS, where there is such a thing: a name that QEMU finds in its own data folder. */
  readonly bios?: FirmwareFiles
  /** UEFI images without Secure Boot where distributions' packages put them; the first that is there is taken. */
  readonly uefi: readonly Required<FirmwareFiles>[]
  readonly uefiAptPackage: string
}

function pair(folder: string, code: string, varsTemplate: string): Required<FirmwareFiles> {
  return { code: `${folder}/${code}`, varsTemplate: `${folder}/${varsTemplate}` }
}

const AMD64: GuestArchitecture = {
  name: 'amd64',
  nodeName: 'x64',
  program: 'qemu-system-x86_64',
  aptPackage: 'qemu-system-x86',
  // graphics=off makes SeaBIOS repeat on the serial port what programs print through the BIOS: a boot loader's complaint
  // is seen, though nothing set it up for a serial console
  machine: 'q35,graphics=off',
  // 'max' has what newer distributions ask for (x86-64-v2, v3); five-level paging only slows emulation down
  cpu: { kvm: 'host', tcg: 'max,la57=off' },
  graphics: ['-device', 'VGA'],
  bios: { code: 'bios-256k.bin' },
  uefi: [
    pair('/usr/share/OVMF', 'OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'), // ovmf
    pair('/usr/share/OVMF', 'OVMF_CODE.fd', 'OVMF_VARS.fd'), // older ovmf
    pair('/usr/share/edk2/ovmf', 'OVMF_CODE.fd', 'OVMF_VARS.fd'), // edk2-ovmf of RPM
    pair('/usr/share/edk2/x64', 'OVMF_CODE.4m.fd', 'OVMF_VARS.4m.fd'), // edk2-ovmf of pacman
    pair('/usr/share/edk2-ovmf/x64', 'OVMF_CODE.fd', 'OVMF_VARS.fd'), // the same, older
    pair('/usr/share/qemu', 'ovmf-x86_64-4m-code.bin', 'ovmf-x86_64-4m-vars.bin'), // qemu-ovmf-x86_64
    pair('/usr/share/qemu', 'edk2-x86_64-code.fd', 'edk2-i386-vars.fd'), // QEMU's own
  ],
  uefiAptPackage: 'ovmf',
}

/** From QEMU's documentation of the 'virt' board; never tried on an arm64 host. */
const ARM64: GuestArchitecture = {
  name: 'arm64',
  nodeName: 'arm64',
  program: 'qemu-system-aarch64',
  aptPackage: 'qemu-system-arm',
  machine: 'virt',
  cpu: { kvm: 'host', tcg: 'max,pauth-impdef=on' },
  graphics: [],
  uefi: [
    pair('/usr/share/AAVMF', 'AAVMF_CODE.fd', 'AAVMF_VARS.fd'), // qemu-efi-aarch64, aavmf
    pair('/usr/share/edk2/aarch64', 'QEMU_EFI-pflash.raw', 'vars-template-pflash.raw'), // edk2-aarch64 of RPM
    pair('/usr/share/edk2/aarch64', 'QEMU_CODE.fd', 'QEMU_VARS.fd'), // edk2-aarch64 of pacman
    pair('/usr/share/qemu', 'edk2-aarch64-code.fd', 'edk2-arm-vars.fd'), // QEMU's own
  ],
  uefiAptPackage: 'qemu-efi-aarch64',
}

const ARCHITECTURES: readonly GuestArchitecture[] = [AMD64, ARM64]

/**
 * @param name GOARCH; undefined: this host's
 * @throws C2M_QEMU_ARCHITECTURE
 */
export function guestArchitecture(name?: string): GuestArchitecture {
  const found = ARCHITECTURES.find((a) => (name === undefined ? a.nodeName === process.arch : a.name === name))
  if (found !== undefined) return found
  throw new C2mError('C2M_QEMU_ARCHITECTURE', `no machine of architecture '${name ?? process.arch}' can be started`, {
    hint: `known are: ${ARCHITECTURES.map((a) => a.name).join(', ')}`,
    exitCode: ExitCode.usage,
  })
}
