import type { Platform } from '@c2m/grub'

/** What UEFI and apt's packages call a machine type. */
export interface Machine {
  readonly platform: Platform
  /** Of EFI/BOOT, which firmware starts on a disk it knows nothing about (UEFI 2.10, 3.5.1.1). */
  readonly removableName: string
  /** What grub-install names its program in EFI/<os>. */
  readonly installedName: string
  /** apt's package: installs and upgrades by itself; conflicts with grub-pc. */
  readonly aptPackage: string
}

const MACHINES: Readonly<Record<string, Machine>> = {
  amd64: {
    platform: 'x86_64-efi',
    removableName: 'BOOTX64.EFI',
    installedName: 'grubx64.efi',
    aptPackage: 'grub-efi-amd64',
  },
  arm64: {
    platform: 'arm64-efi',
    removableName: 'BOOTAA64.EFI',
    installedName: 'grubaa64.efi',
    aptPackage: 'grub-efi-arm64',
  },
  '386': {
    platform: 'i386-efi',
    removableName: 'BOOTIA32.EFI',
    installedName: 'grubia32.efi',
    aptPackage: 'grub-efi-ia32',
  },
}

export const ARCHITECTURES: readonly string[] = Object.keys(MACHINES)

/** @param architecture GOARCH */
export function machineOf(architecture: string): Machine | undefined {
  return Object.hasOwn(MACHINES, architecture) ? MACHINES[architecture] : undefined
}
