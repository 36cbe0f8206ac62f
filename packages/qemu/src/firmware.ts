import { access } from 'node:fs/promises'
import type { Firmware } from '@c2m/plugin-api'
import { C2mError, ExitCode } from '@c2m/process'
import { guestArchitecture, type FirmwareFiles } from './architecture.js'

/**
 * The firmware to start a guest with: for 'bios' a name that QEMU resolves itself, for 'uefi' absolute paths. The
 * template must be copied, since the guest writes to its variables.
 * @param architecture GOARCH
 * @param present whether a file is there
 * @throws C2M_FIRMWARE_MISSING, C2M_FIRMWARE_UNSUPPORTED, C2M_QEMU_ARCHITECTURE
 */
export async function findFirmware(
  kind: Firmware,
  architecture: string,
  present: (path: string) => Promise<boolean> = isThere,
): Promise<FirmwareFiles> {
  const guest = guestArchitecture(architecture)
  if (kind === 'bios') {
    if (guest.bios !== undefined) return guest.bios
    throw new C2mError('C2M_FIRMWARE_UNSUPPORTED', `a machine of architecture '${architecture}' has no BIOS`, {
      hint: 'choose uefi',
      exitCode: ExitCode.usage,
    })
  }
  for (const files of guest.uefi) {
    if ((await present(files.code)) && (await present(files.varsTemplate))) return files
  }
  throw new C2mError(
    'C2M_FIRMWARE_MISSING',
    `running a disk with UEFI needs firmware for ${architecture}, and none is installed`,
    {
      hint: `install it: apt-get install ${guest.uefiAptPackage}`,
      exitCode: ExitCode.missing,
    },
  )
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
