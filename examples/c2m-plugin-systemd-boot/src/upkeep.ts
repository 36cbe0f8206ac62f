import type { BootTask, Step } from '@c2m/plugin-api'
import { titleOf, tokenOf } from './entry.js'
import { ESP } from './support.js'

/** Brings the ESP up to date with the kernels in /boot. */
export const UPDATER = '/usr/sbin/c2m-update-systemd-boot'

/** Where kernel-install(8) has it too. */
export const COMMAND_LINE = '/etc/kernel/cmdline'

/**
 * Called by apt's kernel packages when they come and go, in the order of names: after those that make the initrd; and by
 * update-initramfs(8), which makes one anew without the kernel changing.
 */
const APT_HOOKS = [
  '/etc/kernel/postinst.d/zz-c2m-systemd-boot',
  '/etc/kernel/postrm.d/zz-c2m-systemd-boot',
  '/etc/initramfs/post-update.d/zz-c2m-systemd-boot',
] as const

/** What only a machine needs of it: on the way back to an image it goes. */
export const TRACES = { files: [UPDATER, COMMAND_LINE, ...APT_HOOKS], services: [] } as const

export function upkeepSteps({ packageManager, osId, osName }: BootTask): readonly Step[] {
  const paths = { esp: ESP, kernels: '/boot', commandLine: COMMAND_LINE }
  return [
    {
      id: 'systemd-boot/updater',
      title: 'write the program that keeps the EFI system partition up to date',
      phase: 'boot',
      do: 'write',
      path: UPDATER,
      content: updaterText({ ...paths, token: tokenOf(osId), title: titleOf(osName) }),
      mode: 0o755,
    },
    ...(packageManager === 'apt' ? APT_HOOKS : []).map((path): Step => ({
      id: `systemd-boot/hook${path}`,
      title: `call it from ${path}`,
      phase: 'boot',
      do: 'symlink',
      path,
      target: UPDATER,
    })),
  ]
}

export interface UpdaterSettings {
  readonly esp: string
  /** The folder of the kernels in the machine. */
  readonly kernels: string
  readonly commandLine: string
  readonly token: string
  readonly title: string
}

/** A shell script, since nothing else is sure to be in the guest. Its entries equal `entryText`'s. */
export function updaterText({ esp, kernels, commandLine, token, title }: UpdaterSettings): string {
  return `#!/bin/sh
# Written by c2m: copies of the kernels in ${kernels}, and an entry for each, in the EFI system partition.
set -e
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
esp=${quote(esp)}
kernels=${quote(kernels)}
token=${quote(token)}
title=${quote(title)}
options=$(cat ${quote(commandLine)})
entries=$esp/loader/entries

if [ ! -d "$entries" ]; then
  echo "c2m-update-systemd-boot: $esp is not mounted; the menu stays as it is" >&2
  exit 0
fi

versions=
for kernel in "$kernels"/vmlinu[xz]-*; do
  version=\${kernel##*/vmlinu?-}
  case $version in *.old | *.bak | *.dpkg-* | *[!A-Za-z0-9_.+~-]*) continue ;; esac
  if [ -s "$kernel" ]; then versions="$versions $version "; fi
done
[ -n "$versions" ] || exit 0

# those that are gone make room first
for folder in "$esp/$token"/*; do
  version=\${folder##*/}
  case $versions in *" $version "*) continue ;; esac
  rm -rf "$entries/$token-$version.conf" "$folder"
done

# a file is there whole or not at all
new=$esp/loader/c2m.new
trap 'rm -f "$new"' EXIT
finish() {
  sync "$new"
  mv "$new" "$1"
}
place() {
  if cmp -s "$1" "$2"; then return; fi
  cat "$1" >"$new"
  finish "$2"
}

entry() {
  printf 'title %s\\n' "$title"
  echo "version $1"
  echo "sort-key $token"
  echo "linux /$token/$1/linux"
  if [ -n "$2" ]; then echo "initrd /$token/$1/initrd"; fi
  printf 'options %s\\n' "$options"
}

for version in $versions; do
  for kernel in "$kernels/vmlinuz-$version" "$kernels/vmlinux-$version"; do
    if [ -s "$kernel" ]; then break; fi
  done
  initrd=
  for candidate in "$kernels/initrd.img-$version" "$kernels/initramfs-$version"; do
    if [ -s "$candidate" ]; then initrd=$candidate; fi
  done
  mkdir -p "$esp/$token/$version"
  place "$kernel" "$esp/$token/$version/linux"
  if [ -n "$initrd" ]; then place "$initrd" "$esp/$token/$version/initrd"; fi
  entry "$version" "$initrd" >"$new"
  finish "$entries/$token-$version.conf"
done
`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
