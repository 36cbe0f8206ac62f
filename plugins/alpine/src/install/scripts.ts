import { FEATURES } from './initramfs-settings.js'

/**
 * Installs "$@". Lists younger than a day are taken as they are; when a package cannot be had with them, they are renewed
 * once. apk says with its exit code that a script of some package failed, too: what counts is that the packages are there,
 * and boot loaders' scripts cannot find a disk here.
 *
 * Environment: C2M_FEATURE and C2M_MODULES an own feature for mkinitfs, C2M_REPAIR packages whose files were removed.
 */
export const INSTALL = `#!/bin/sh
set -eu
cache=/var/cache/apk
said=$(mktemp)
mkdir -p "$cache"

# stderr is kept: in the end it says why
get() {
  if apk --no-progress --cache-dir "$cache" --cache-max-age "$age" "$@" 2>"$said"; then result=0; else result=$?; fi
  cat "$said" >&2
  return $result
}

there() {
  for name; do
    if ! apk info --quiet --installed "\${name%@*}" >/dev/null 2>&1; then return 1; fi
  done
}

install() {
  age=1440
  if get add "$@" || there "$@"; then return; fi
  echo "c2m: getting the package lists anew"
  age=0
  if get add --update-cache "$@" || there "$@"; then return; fi
  # the cause comes last, so that it is seen
  if grep -q -e UNTRUSTED -e BAD -e '^WARNING' "$said"; then
    echo "c2m: repositories that could not be used:" >&2
    grep -e UNTRUSTED -e BAD -e '^WARNING' "$said" | head -n 8 >&2
  fi
  for name; do
    if ! apk --cache-dir "$cache" --no-network search --quiet --exact "\${name%%[=<>~@]*}" 2>/dev/null | grep -q .; then
      case $name in *:*) ;; *) echo "c2m: no repository in /etc/apk/repositories has the package $name" >&2 ;; esac
    fi
  done
  exit 100
}

for name; do
  if [ "$name" = mkinitfs ]; then install mkinitfs; fi
done

settings=/etc/mkinitfs/mkinitfs.conf
if [ -d /etc/mkinitfs ]; then
  # newer ones keep their own features elsewhere
  folders="/etc/mkinitfs/features.d /usr/share/mkinitfs/features.d"
  mkdir -p /etc/mkinitfs/features.d
  printf %s "$C2M_MODULES" >"/etc/mkinitfs/features.d/$C2M_FEATURE.modules"
  features=$(if [ -f $settings ]; then . $settings >/dev/null 2>&1; echo "\${features:-}"; fi)
  for feature in ${FEATURES.join(' ')} "$C2M_FEATURE"; do
    case " $features " in *" $feature "*) continue ;; esac
    for folder in $folders; do
      if [ -f "$folder/$feature.modules" ] || [ -f "$folder/$feature.files" ]; then
        features="\${features:+$features }$feature"
        break
      fi
    done
  done
  touch $settings
  sed -i -e '/^features=/d' $settings
  echo "features=\\"$features\\"" >>$settings
fi

install "$@"
if [ -n "$C2M_REPAIR" ]; then
  # the version that the image has may have left the mirrors, and only then is it replaced by another
  for how in upgrade reinstall; do
    # shellcheck disable=SC2086
    get fix --$how $C2M_REPAIR || echo "c2m: not all went well while repairing $C2M_REPAIR"
  done
fi
rm -f "$said"
`

/** Makes the initramfs of every packaged kernel that has none, or one from before mkinitfs's settings. */
export const MAKE_INITRAMFS = `#!/bin/sh
set -eu
if [ ! -x /sbin/mkinitfs ] && [ ! -x /usr/sbin/mkinitfs ]; then exit 0; fi
for release in /usr/share/kernel/*/kernel.release; do
  if [ ! -f "$release" ]; then continue; fi
  folder=\${release%/kernel.release}
  image=/boot/initramfs-\${folder##*/}
  if [ -s "$image" ] && [ ! /etc/mkinitfs/mkinitfs.conf -nt "$image" ]; then continue; fi
  mkinitfs -o "$image" "$(cat "$release")"
done
`

/** Removes what differs from one installation to the next and what no two machines may share. */
export const CLEAN_UP = `#!/bin/sh
set -eu
rm -rf /etc/passwd- /etc/shadow- /etc/group- /etc/gshadow- /etc/ssh/ssh_host_*key /etc/ssh/ssh_host_*key.pub \\
  /lib/apk/db/*.new /lib/apk/db/*.tmp /usr/lib/apk/db/*.new /usr/lib/apk/db/*.tmp /etc/apk/*.tmp \\
  /var/cache/misc/*.tmp /var/log/apk.log
`
