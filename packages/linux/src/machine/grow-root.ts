import type { Step } from '@c2m/plugin-api'
import { ownUnitSteps } from '../systemd/own-unit.js'

export const GROW_ROOT_PATH = '/usr/local/lib/c2m/grow-root'
const NAME = 'c2m-grow-root.service'

/**
 * Runs on every boot, does something only when the disk has become larger than its table says. In steps, each of which
 * may already have been done by an earlier boot that was cut off:
 *
 *     table     the root, the last partition, gets all that follows; sfdisk writes the table anew from its own dump
 *               without 'last-lba' and without the root's size, which also moves GPT's backup to the disk's end
 *     kernel    is told the partition's new size (BLKPG, by partx; the others are in use and stay untouched)
 *     ext4      grows while mounted
 *
 * Sizes in /sys/class/block are in 512-byte sectors, whatever the disk's own. 4096 of them (2 MiB) is what alignment and
 * GPT's backup may leave.
 */
const SCRIPT = `#!/bin/sh
# Grows the root partition and its file system to the end of the disk.
set -eu
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { echo "grow-root: $*"; }

sys=/sys/dev/block/$(mountpoint -d /)
type=none
while read -r _ directory kind _; do
  if [ "$directory" = / ]; then type=$kind; fi
done </proc/self/mounts

if [ ! -e "$sys/partition" ]; then
  say "the root is not a partition; nothing to do"
  exit 0
fi
partition=$(readlink -f "$sys")
parent=\${partition%/*}
number=$(cat "$partition/partition")
disk=/dev/\${parent##*/}
node=/dev/\${partition##*/}

start=$(cat "$partition/start")
end=$((start + $(cat "$partition/size")))
total=$(cat "$parent/size")
last=yes
for other in "$parent"/*/start; do
  if [ "$(cat "$other")" -gt "$start" ]; then last=no; fi
done

if [ "$last" = no ]; then
  say "another partition follows the root; nothing to do"
elif [ $((total - end)) -le 4096 ]; then
  say "the root partition reaches to the end of $disk"
else
  say "growing partition $number of $disk"
  sfdisk --dump "$disk" |
    sed -e '/^last-lba:/d' -e "\\\\,^$node :,s/ size= *[0-9]*,//" |
    sfdisk --quiet --force --no-reread --no-tell-kernel --wipe never --wipe-partitions never "$disk"
  partx --update --nr "$number" "$disk"
fi

case $type in
  ext2 | ext3 | ext4) resize2fs "$node" ;;
  *) say "a $type file system is not grown" ;;
esac
`

const UNIT = `[Unit]
Description=Grow the root file system to the disk
ConditionPathIsReadWrite=/
After=systemd-remount-fs.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${GROW_ROOT_PATH}
`

export function growRootScriptStep(owner: string): Step {
  return {
    id: `${owner}/grow-root`,
    title: `write ${GROW_ROOT_PATH}`,
    phase: 'configure',
    do: 'write',
    path: GROW_ROOT_PATH,
    mode: 0o755,
    content: SCRIPT,
  }
}

/** Needs sfdisk, partx, mountpoint (util-linux, fdisk) and resize2fs (e2fsprogs) in the machine. */
export function growRootSteps(owner: string): readonly Step[] {
  return [
    growRootScriptStep(owner),
    ...ownUnitSteps({
      owner,
      name: NAME,
      content: UNIT,
      title: 'the unit that grows the root at boot',
      wantedBy: ['multi-user.target'],
    }),
  ]
}
