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
