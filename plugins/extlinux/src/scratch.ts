import type { ExecStep } from '@c2m/plugin-api'
import { FOLDER } from './location.js'

/**
 * The loader is inside the installer (syslinux(1)), which writes it to FAT file systems without mounting them: here to a
 * scratch one of 2.88 MB. The loader is the same for every file system, and so is the code of the boot sector.
 */
export const SCRATCH = 'scratch.img'
export const FORMAT = ['mformat', '-C', '-f', '2880', '-N', '0', '-i', SCRATCH, '::'] as const
export const INSTALL = ['syslinux', '--install', SCRATCH] as const
export const COPY = ['mcopy', '-n', '-i', SCRATCH, '::/ldlinux.sys', '::/ldlinux.c32', '.'] as const

/** The boot sector, kept beside the loader for c2m to write. */
export const BOOT_SECTOR = 'bootsector.bin'

/** What the loader is, and what has to be of one version with it. */
export const LOADER_FILES = ['ldlinux.sys', 'ldlinux.c32', BOOT_SECTOR] as const

const SCRIPT = `mkdir -p "$1"
cd "$1"
rm -f ${LOADER_FILES.join(' ')} ${SCRATCH}
command -v syslinux >/dev/null && command -v mformat >/dev/null || exit 0
${FORMAT.join(' ')}
${INSTALL.join(' ')}
${COPY.join(' ')}
head -c 512 ${SCRATCH} >${BOOT_SECTOR}
rm -f ${SCRATCH}`

/** Lets the guest's own package make the loader; without that there is none afterwards, and the host's is taken. */
export function makeLoader(): ExecStep {
  return {
    id: 'extlinux/loader',
    title: `make EXTLINUX's loader in ${FOLDER}`,
    phase: 'packages',
    do: 'exec',
    argv: ['sh', '-ec', SCRIPT, 'sh', FOLDER],
  }
}
