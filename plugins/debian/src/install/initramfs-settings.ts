import type { Release } from '../releases.js'

/**
 * mkinitramfs reads the files of this folder and, unlike those of /etc/initramfs-tools/conf.d, does not copy them into the
 * initramfs, where init would read them at boot.
 */
export const INITRAMFS_SETTINGS_PATH = '/usr/share/initramfs-tools/conf-hooks.d/zz-c2m'

/**
 * MODULES=most: the disk must boot on any controller, not only on this builder's. FSTYPE: c2m's roots are ext4, and fsck
 * for it belongs into the initramfs; mkinitramfs cannot see that, as there is no such root where it runs.
 *
 * mkinitramfs runs realpath and readlink four times for each of some 2500 modules, which is more than half of its time. The
 * functions answer in the shell what the programs would: a path without '.', '..', '//' and links is its own answer.
 *
 * gzip's level is given where mkinitramfs is too old to know COMPRESSLEVEL.
 */
export function initramfsSettings({ compressor }: Release): string {
  const gzip = compressor === 'gzip' ? 'gzip() { command gzip -1 "$@"; }\n' : ''
  return `MODULES=most
FSTYPE=ext4
COMPRESS=${compressor}
COMPRESSLEVEL=1
c2m_bin=$(command readlink -f /bin)
c2m_plain() {
  case $1 in
    / | */ | *//* | */. | */.. | */./* | */../*) return 1 ;;
    /*) return 0 ;;
  esac
  return 1
}
realpath() {
  if [ $# = 2 ] && [ "$1" = -ms ] && c2m_plain "/\${2##//}"; then
    echo "/\${2##//}"
  elif [ $# = 2 ] && [ "$1" = -s ] && c2m_plain "$2" && [ -e "$2" ]; then
    echo "$2"
  else
    command realpath "$@"
  fi
}
readlink() {
  if [ "$*" = '-f /bin' ]; then
    echo "$c2m_bin"
    return
  fi
  if [ $# = 2 ] && [ "$1" = -f ] && c2m_plain "$2" && [ -e "$2" ]; then
    c2m_path=$2
    while [ -n "$c2m_path" ] && [ ! -L "$c2m_path" ]; do c2m_path=\${c2m_path%/*}; done
    if [ -z "$c2m_path" ]; then
      echo "$2"
      return
    fi
  fi
  command readlink "$@"
}
${gzip}`
}
