import type { DiskPlan, PlannedPartition, Rootfs } from '@c2m/plugin-api'
import { gzipSync } from 'node:zlib'
import { cpio, type CpioEntry } from './cpio.js'
import { readBytes } from './files.js'

/**
 * Loads the drivers of the disk, mounts the root that the kernel's command line names, and starts its init. The words
 * '(initramfs) ' before a shell are what c2m's --verify takes for a boot that has failed.
 */
const init = ({ partuuid, uuid }: PlannedPartition): string => `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin PS1='(initramfs) '
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys

root=
mode=ro
init=/sbin/init
for word in $(cat /proc/cmdline); do
  case $word in
    root=*) root=\${word#root=} ;;
    init=*) init=\${word#init=} ;;
    ro | rw) mode=$word ;;
  esac
done
# BusyBox finds file systems, not partitions
if [ "$root" = 'PARTUUID=${partuuid}' ]; then root=UUID=${uuid}; fi

fail() {
  echo "c2m: $*"
  exec sh
}

# drivers of hardware that this machine lacks cannot be loaded
while read -r module; do insmod "/modules/$module" 2>/dev/null; done </modules/order

find_root() {
  case $root in
    UUID=* | LABEL=*) findfs "$root" 2>/dev/null ;;
    /dev/*) [ -b "$root" ] && echo "$root" ;;
    *) fail "the kernel's command line has no root=UUID=…, root=LABEL=… or root=/dev/…" ;;
  esac
}

tries=0
until device=$(find_root) && [ -n "$device" ]; do
  tries=$((tries + 1))
  [ "$tries" -le 60 ] || fail "there is no disk with $root"
  sleep 1
done
mount -t ext4 -o "$mode" "$device" /root || fail "$device cannot be mounted"
mount -o move /dev /root/dev
umount /proc /sys
exec switch_root /root "$init"
`

const FOLDERS = ['bin', 'dev', 'modules', 'proc', 'root', 'sys', 'usr']

/** Where a C library may be. */
const LIBRARIES = ['usr/lib', 'usr/lib64', 'lib', 'lib64']

/** An initial RAM disk of the image's BusyBox, its libraries where it has any, and modules in their order of loading. */
export async function initramfs(
  { rootfs, disk }: { readonly rootfs: Rootfs; readonly disk: DiskPlan },
  modules: Rootfs,
  order: readonly string[],
): Promise<Buffer> {
  const root = disk.partitions.find(({ role }) => role === 'root')
  if (root === undefined) throw new Error('the disk has no root partition')
  const busybox = await readBytes(rootfs, 'bin/busybox')
  if (busybox === undefined) throw new Error('the image has no /bin/busybox any more')
  const entries: CpioEntry[] = [
    ...FOLDERS.map((name): CpioEntry => ({ type: 'directory', name })),
    { type: 'file', name: 'init', mode: 0o755, data: Buffer.from(init(root)) },
    { type: 'file', name: 'bin/busybox', mode: 0o755, data: busybox },
    ...(await Promise.all(LIBRARIES.map((folder) => libraries(rootfs, folder)))).flat(),
    { type: 'file', name: 'modules/order', mode: 0o644, data: Buffer.from(order.map((path) => `${path}\n`).join('')) },
  ]
  const folders = new Set(order.flatMap(parentsOf))
  for (const folder of [...folders].sort()) entries.push({ type: 'directory', name: `modules/${folder}` })
  for (const path of order) {
    const data = await readBytes(modules, path)
    if (data === undefined) throw new Error(`modules.dep names ${path}, which is not there; run depmod again`)
    entries.push({ type: 'file', name: `modules/${path}`, mode: 0o644, data })
  }
  return gzipSync(cpio(entries), { level: 9 })
}

/** The libraries in a folder, or the folder's link to another one. */
async function libraries(rootfs: Rootfs, folder: string): Promise<readonly CpioEntry[]> {
  const there = await rootfs.stat(folder)
  if (there?.linkTarget !== undefined) return [{ type: 'symlink', name: folder, target: there.linkTarget }]
  if (there === undefined) return []
  const entries: CpioEntry[] = [{ type: 'directory', name: folder }]
  for (const file of await rootfs.list(folder)) {
    const name = `${folder}/${file}`
    const data = /\.so(?:\.|$)/.test(file) ? await readBytes(rootfs, name) : undefined
    if (data !== undefined) entries.push({ type: 'file', name, mode: 0o755, data })
  }
  return entries
}

/** 'a/b/c.ko' lies in 'a' and 'a/b'. */
function parentsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}
