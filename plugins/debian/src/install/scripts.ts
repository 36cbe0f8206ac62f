/** Makes the initramfs of every kernel in the tree, as it could not be made while packages were being installed. */
export const MAKE_INITRAMFS = `#!/bin/sh
set -eu
for modules in /lib/modules/*/; do
  version=$(basename "$modules")
  if [ ! -e "/boot/vmlinuz-$version" ] && [ ! -e "/boot/vmlinux-$version" ]; then continue; fi
  rm -f "/boot/initrd.img-$version" "/var/lib/initramfs-tools/$version"
  /usr/sbin/update-initramfs -c -k "$version"
done
`

/** Makes the data of the locale that is in the first of the given lines that glibc knows. */
export const MAKE_LOCALE = `#!/bin/sh
set -eu
for line in "$@"; do
  if grep -q -x -F -e "$line" /usr/share/i18n/SUPPORTED; then
    grep -q -x -F -e "$line" /etc/locale.gen || echo "$line" >>/etc/locale.gen
    exec locale-gen
  fi
done
echo "c2m: this release knows no locale '$1'; /usr/share/i18n/SUPPORTED lists what it knows" >&2
exit 1
`

/**
 * Sets the console's keyboard to layout "$1" and variant "$2", '' for the layout's own, and keeps the keymap that is
 * computed of them, which the machine loads at boot.
 */
export const SET_KEYBOARD = `#!/bin/sh
set -eu
settings=/etc/default/keyboard
# 'layout' or 'variant': the first words of that section's lines, of a variant with its layout behind it
names() { awk -v section="$1" '/^!/ { in_it = $2 == section; next } in_it && NF { print $1, $2 }' /usr/share/X11/xkb/rules/base.lst; }

if ! names layout | grep -q -e "^$1 "; then
  echo "c2m: there is no keyboard layout '$1'; there are" $(names layout | cut -d ' ' -f 1) >&2
  exit 1
fi
if [ -n "$2" ] && ! names variant | grep -q -x -F -e "$2 $1:"; then
  echo "c2m: the keyboard layout $1 has no variant '$2'; it has" $(names variant | sed -n -e "s/ $1:$//p") >&2
  exit 1
fi
sed -i -e '/^XKBLAYOUT=/d' -e '/^XKBVARIANT=/d' $settings
printf 'XKBLAYOUT="%s"\\nXKBVARIANT="%s"\\n' "$1" "$2" >>$settings
# what the package chose without being asked is no console of today
sed -i -e 's/^CHARMAP=.*/CHARMAP="UTF-8"/' /etc/default/console-setup
rm -f /etc/console-setup/cached_*
setupcon --save-only
`

/**
 * Removes what differs from one installation to the next and what no two machines may share: caches, backups, identities.
 * The logs that it is given are temporary files: emptied again, they are as they were put, so what the image had comes back.
 */
export const CLEAN_UP = `#!/bin/sh
set -eu
rm -rf /var/cache/apt/pkgcache.bin /var/cache/apt/srcpkgcache.bin /var/cache/debconf/*-old \\
  /var/cache/ldconfig/aux-cache /var/lib/dpkg/*-old /var/lib/systemd/random-seed \\
  /etc/ssh/ssh_host_*key /etc/ssh/ssh_host_*key.pub \\
  /etc/.resolv.conf.systemd-resolved.bak \\
  /etc/passwd- /etc/shadow- /etc/group- /etc/gshadow- /etc/subuid- /etc/subgid-
if [ -f /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ]; then rm /var/lib/dbus/machine-id; fi
if [ -f /etc/machine-id ] && [ ! -L /etc/machine-id ]; then : >/etc/machine-id; fi
for log in "$@"; do
  if [ -f "$log" ]; then : >"$log"; fi
done
`
