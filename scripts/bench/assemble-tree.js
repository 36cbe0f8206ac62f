// A program of its own, so that its peak memory is its own: a tar's tree becomes a finished raw disk, fsynced.
// Arguments: tar, disk. Prints seconds and peak resident memory as JSON.
import { createHash } from 'node:crypto'
import {
  createRawDisk,
  diskSize,
  partitionRange,
  planDisk,
  region,
  writePartitionTable,
} from '../../packages/disk/dist/index.js'
import { planExt4 } from '../../packages/filesystem/dist/index.js'
import { indexLayer, mergeLayers, rootfsSummary } from '../../packages/rootfs/dist/index.js'

const FEATURES =
  'has_journal extent 64bit flex_bg metadata_csum dir_index filetype sparse_super large_file huge_file dir_nlink extra_isize ext_attr resize_inode'
const MIB = 2 ** 20

const [, , tar, path] = process.argv
const start = process.hrtime.bigint()
const layer = await indexLayer(tar)
const rootfs = await mergeLayers([layer])
const random = (label, length) => createHash('sha512').update(label).digest().subarray(0, length)
const plan = planDisk({
  table: 'gpt',
  architecture: 'amd64',
  random,
  requests: [
    { role: 'bios-boot', size: MIB },
    { role: 'root', size: 0, mountpoint: '/' },
  ],
})
const root = plan.partitions.at(-1)
const options = {
  uuid: root.uuid,
  label: root.label,
  features: FEATURES.split(' '),
  time: { seconds: 0, nanoseconds: 0 },
  hashSeed: root.uuid,
}
const filesystem = await planExt4(rootfs, options)
const minimumBytes = await filesystem.minimumBytes()
const size = diskSize(plan, minimumBytes + Math.max(256 * MIB, minimumBytes / 4))
const disk = await createRawDisk(path, size)
const range = partitionRange(plan, size, 'root')
await filesystem.write(region(disk, range.offset, range.size))
await writePartitionTable(disk, plan)
await disk.sync()
await disk[Symbol.asyncDispose]()
const seconds = Number(process.hrtime.bigint() - start) / 1e9
const peak = process.resourceUsage().maxRSS * 1024
const { entries } = await rootfsSummary(rootfs)
await rootfs[Symbol.asyncDispose]()
console.log(JSON.stringify({ seconds, peak, entries }))
