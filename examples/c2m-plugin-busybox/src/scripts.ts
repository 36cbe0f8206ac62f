/**
 * What BusyBox's init starts first. The root is mounted read-only or not; /dev is there already when an initial RAM disk
 * was used. The names of what failed are told to the verification.
 */
export const RC = `#!/bin/sh
export PATH=/sbin:/usr/sbin:/bin:/usr/bin
failed=
try() { "$@" || failed="$failed $1"; }

mountpoint -q /dev || try mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
try mount -t proc proc /proc
try mount -t sysfs sys /sys
try mount -t devpts pts /dev/pts
try mount -t tmpfs shm /dev/shm
try mount -t tmpfs -o mode=755 run /run
try mount -o remount,rw /

# drivers of hardware that this machine lacks cannot be loaded
modules=/lib/modules/$(uname -r)
[ ! -e /etc/modules ] || while read -r module; do insmod "$modules/$module" 2>/dev/null; done </etc/modules

try mount -a
try swapon -a
try hostname -F /etc/hostname
try ifup -a
/etc/init.d/verify "$failed" &
`

/** A login on a terminal; without that terminal it sleeps, as init would start it anew each second. */
export const LOGIN = `#!/bin/sh
stty -F "/dev/$1" >/dev/null 2>&1 || exec sleep 86400
exec getty -L "$2" "$1" vt100
`

/** Tells a host that gives the machine the virtio-serial port org.c2m.verify how the boot went: c2m's --verify. */
export const VERIFY = `#!/bin/sh
for name in /sys/class/virtio-ports/*/name; do
  [ "$(cat "$name" 2>/dev/null)" = org.c2m.verify ] || continue
  port=\${name%/name}
  state=running
  [ -z "$1" ] || state=degraded
  root=ro
  while read -r _ directory _ options _; do
    [ "$directory" != / ] || root=\${options%%,*}
  done </proc/mounts
  {
    echo 'c2m-verify 1'
    echo "state=$state"
    echo "failed=\${1# }"
    echo "root=$root"
    echo "addresses=$(ip -o -4 addr show scope global | awk '{ sub("/.*", "", $4); print $4 }' | tr '\\n' ' ')"
    echo "uptime=$(cut -d ' ' -f 1 /proc/uptime)"
    echo end
  } >"/dev/\${port##*/}"
done
`

/**
 * What BusyBox's DHCP client calls (udhcpc, README.udhcpc); $mask is the length of the prefix.
 * @param keepsResolver whether the user chose name servers
 */
export function dhcpScript(keepsResolver: boolean): string {
  const resolver = `{
  [ -z "$domain" ] || echo "search $domain"
  for server in $dns; do echo "nameserver $server"; done
} >/etc/resolv.conf
`
  return `#!/bin/sh
case $1 in
  deconfig)
    ip -4 addr flush dev "$interface"
    ip link set "$interface" up
    exit
    ;;
  bound | renew) ;;
  *) exit ;;
esac
ip -4 addr flush dev "$interface"
ip addr add "$ip/$mask" dev "$interface"
for gateway in $router; do ip route replace default via "$gateway" dev "$interface" && break; done
${keepsResolver ? '' : resolver}`
}
