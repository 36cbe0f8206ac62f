import type { BootTask, DiskPlan, Step } from '@c2m/plugin-api'
import { MARK } from './menu.js'
import { FOLDER, locate, MENU } from './location.js'

/** Writes the menu's entries anew; apt's kernels call it when they come and go. */
export const UPDATER = '/usr/sbin/c2m-update-extlinux'

/** Run by apt's kernel packages, in the order of names: after those that make the initrd (linux-image's hooks, run-parts(8)). */
const HOOKS = ['/etc/kernel/postinst.d/zz-c2m-extlinux', '/etc/kernel/postrm.d/zz-c2m-extlinux'] as const

/** For the way back: folders and updater; the package's settings stay with the package database. */
export const TRACES = { files: [FOLDER, '/boot/syslinux', UPDATER, ...HOOKS], services: [] } as const

/** apk's own updater of a menu, which is another one than this. */
const APK_SETTINGS = '/etc/update-extlinux.conf'

/** What keeps the menu up to date, in words. */
export function keeperOf(packageManager: BootTask['packageManager']): string | undefined {
  return packageManager === 'apt' ? UPDATER : undefined
}

/**
 * apt's kernels have their version in their names, so the menu has to follow them. apk's kernels keep their names from one
 * version to the next, so the menu stays as it is, and apk's own updater has to leave the boot sector alone.
 */
export function upkeepSteps({ packageManager, disk }: Pick<BootTask, 'packageManager' | 'disk'>): readonly Step[] {
  if (packageManager === 'apt') return aptSteps(disk)
  return packageManager === 'apk' ? APK_STEPS : []
}

function aptSteps(disk: DiskPlan): readonly Step[] {
  return [
    {
      id: 'extlinux/updater',
      title: "write the program that keeps EXTLINUX's menu up to date",
      phase: 'boot',
      do: 'write',
      path: UPDATER,
      content: updaterText({ menu: MENU, kernels: '/boot', seen: locate(disk, '/boot').path }),
      mode: 0o755,
    },
    ...HOOKS.map((path): Step => ({
      id: `extlinux/hook${path}`,
      title: `call it from ${path}`,
      phase: 'boot',
      do: 'symlink',
      path,
      target: UPDATER,
    })),
  ]
}

const APK_TEXT = `# Written by c2m. The menu is ${MENU}; kernels keep their names, so it needs no update.
overwrite=0
disable_trigger=1
root=none
`

const APK_STEPS: readonly Step[] = [
  {
    id: 'extlinux/apk-settings-at-first',
    title: 'let the package not look for a disk',
    phase: 'packages',
    do: 'temporaryFile',
    path: APK_SETTINGS,
    content: APK_TEXT,
    mode: 0o644,
  },
  {
    id: 'extlinux/apk-settings',
    title: 'let the package leave the boot sector alone',
    phase: 'boot',
    do: 'write',
    path: APK_SETTINGS,
    content: APK_TEXT,
    mode: 0o644,
  },
]

export interface UpdaterPaths {
  readonly menu: string
  /** The folder of the kernels in the machine. */
  readonly kernels: string
  /** The same as EXTLINUX sees it: from the top of its file system. */
  readonly seen: string
}

/** A shell script, since nothing else is sure to be in the guest. Its entries equal `menuText`'s. */
export function updaterText({ menu, kernels, seen }: UpdaterPaths): string {
  return `#!/bin/sh
# Written by c2m: one entry in EXTLINUX's menu for each kernel, newest first. The settings above the entries stay.
set -e
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
menu='${menu}'
mark='${MARK}'
grep -qxF "$mark" "$menu" 2>/dev/null || exit 0

versions=$(
  for kernel in '${kernels}'/vmlinu[xz]-*; do
    version=\${kernel##*/vmlinu?-}
    case $version in *.old | *.bak | *.dpkg-* | *[!A-Za-z0-9_.+~-]*) continue ;; esac
    if [ -s "$kernel" ]; then echo "$version"; fi
  done | sort -rV -u
)
[ -n "$versions" ] || exit 0

entry() {
  for kernel in "vmlinuz-$1" "vmlinux-$1"; do
    if [ -s '${kernels}'/"$kernel" ]; then break; fi
  done
  echo
  echo "LABEL $1"
  echo "  MENU LABEL Linux $1"
  echo "  LINUX ${seen === '/' ? '' : seen}/$kernel"
  if [ -s '${kernels}'/"initrd.img-$1" ]; then
    echo "  INITRD ${seen === '/' ? '' : seen}/initrd.img-$1"
  else
    # the kernel alone knows partitions, not what is in them
    sed -n "s/^APPEND /  &/; s/root=[^ ]*/root=PARTUUID=$(findmnt -nro PARTUUID /)/p" "$menu" | head -n 1
  fi
}

new=$menu.new
trap 'rm -f "$new"' EXIT
{
  sed "/^$mark\\$/q" "$menu"
  for version in $versions; do entry "$version"; done
} >"$new"
chmod 644 "$new"
sync "$new"
mv "$new" "$menu"
`
}
