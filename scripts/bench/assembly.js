import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { compare, median, sh, verdict } from './timing.js'

const SCRATCH = '.work/bench/scratch'

/** Tree to finished raw disk, against copying the tree's tar and against unpacking, mke2fs -d and a disk image. */
export async function measure({ tar }) {
  sh('mkdir -p "$1"', SCRATCH)
  // the stage alone, as a conversion runs it in a process that is there already; its result says how long it took
  const stage = []
  const ways = {
    c2m: () => {
      const result = spawnSync(process.execPath, ['scripts/bench/assemble-tree.js', tar, `${SCRATCH}/c2m.img`], {
        encoding: 'utf8',
      })
      if (result.status !== 0) throw new Error(result.stderr)
      stage.push(JSON.parse(result.stdout).seconds)
    },
    cp: () => sh('cp "$1" "$2" && sync "$2"', tar, `${SCRATCH}/copy.tar`),
    mke2fs: () =>
      sh(
        `mkdir "$2" && tar -C "$2" --xattrs --xattrs-include='*' --numeric-owner --exclude=./dev/* -xf "$1"
         truncate -s 1G "$3.ext4" && /sbin/mke2fs -q -t ext4 -d "$2" "$3.ext4"
         truncate -s 1026M "$3" && dd if="$3.ext4" of="$3" bs=1M seek=1 conv=notrunc,sparse status=none && sync "$3"`,
        tar,
        `${SCRATCH}/tree`,
        `${SCRATCH}/mke2fs.img`,
      ),
  }
  const clean = () => sh('rm -rf "$1"/*; sync', SCRATCH)
  const seconds = await compare(ways, clean)
  rmSync(SCRATCH, { recursive: true, force: true })
  const own = median(stage)
  const detail = (other) =>
    `${own.toFixed(2)} s (${seconds.c2m.toFixed(2)} s with the start of Node), ${other} ${seconds[other].toFixed(2)} s`
  return [
    verdict('assembly against cp of the tar', own / seconds.cp, 2, detail('cp')),
    verdict('assembly against unpack + mke2fs -d + copy', own / seconds.mke2fs, 1, detail('mke2fs')),
  ]
}
