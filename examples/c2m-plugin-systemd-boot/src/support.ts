import type { BootTarget, BootTask, PartitionRequest, Verdict } from '@c2m/plugin-api'

/** What UEFI calls a machine type in names of files (UEFI 2.10, 3.5.1.1), by GOARCH. */
const SUFFIXES: Readonly<Record<string, string>> = { amd64: 'x64', arm64: 'aa64' }

export const ARCHITECTURES: readonly string[] = Object.keys(SUFFIXES)

/** Where the EFI system partition is mounted. */
export const ESP = '/boot/efi'

const MIB = 1 << 20

export function suffixOf(architecture: string): string | undefined {
  return Object.hasOwn(SUFFIXES, architecture) ? SUFFIXES[architecture] : undefined
}

/** The loader finds the partition that it was started from by its GPT type and number (Boot Loader Specification). */
export function supports({ table, architecture }: BootTarget): Verdict {
  if (suffixOf(architecture) === undefined) {
    return {
      ok: false,
      because: `systemd-boot for ${architecture} is not known`,
      hint: `the architectures are ${ARCHITECTURES.join(', ')}`,
    }
  }
  if (table === 'gpt') return { ok: true }
  return {
    ok: false,
    because: `systemd-boot starts under UEFI from a GPT disk, not from ${table.toUpperCase()}`,
    hint: 'use --partition-table gpt, or another boot loader',
  }
}

/**
 * Kernels and initrds lie on it, at 50 to 100 MiB each of a distribution's: room for three of them while one is replaced;
 * a computer's are larger, and its firmware keeps updates there too.
 */
export function partitions({ physical }: BootTarget): readonly PartitionRequest[] {
  return [{ role: 'esp', size: (physical ? 1024 : 512) * MIB, mountpoint: ESP }]
}

/** Package names by package manager; with others the loader is in the tree already, or this host's is taken. */
export function packages({ packageManager }: Pick<BootTask, 'packageManager'>): readonly string[] {
  return packageManager === 'apt' ? ['systemd-boot-efi'] : []
}
