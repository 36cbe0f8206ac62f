import { evaluate } from '@c2m/core'
import { diskSize, partitionRange } from '@c2m/disk'
import type { BootloaderPlugin, BootTask, DiskPlan, FilePlace, RootfsEdit, WriteBlocksStep } from '@c2m/plugin-api'
import assert from 'node:assert/strict'
import { stepContext } from '../fixtures/boot-task.js'
import type { TreeFiles } from '../fixtures/tree.js'
import { installedTree, runSteps } from './bootloader-run.js'
import { describeSetup, taskOf, type Setup } from './bootloader-setups.js'

const MIB = 1 << 20
const SECTOR = 512
const BLOCK = 4096
const ROOT_BYTES = 1024 * MIB

/** Disk signature, partitions and 0x55 0xAA of an MBR, a protective one too: from byte 440 of the disk to its sector's end. */
const TABLE = [440, 512] as const
/** UEFI 2.10, 5.3: GPT's header and its 128 entries fill the sectors up to 33. */
const GPT_END = 34 * SECTOR

/** Bytes outside of file systems, computed as while the disk is assembled. */
export async function checkBlocks(loader: BootloaderPlugin, setup: Setup, files: TreeFiles): Promise<void> {
  const where = describeSetup(setup)
  const task = taskOf(loader, setup)
  const steps = loader.install(task)
  const tree = await installedTree(files)
  await runSteps(steps, task, tree)
  for (const step of steps) if (step.do === 'writeBlocks') await checkBytes(step, task, tree, where)
}

async function checkBytes(step: WriteBlocksStep, task: BootTask, tree: RootfsEdit, where: string): Promise<void> {
  const { disk } = task
  const places = await placesOf(step.locate ?? [], disk, tree)
  const bytes = await evaluate(step.bytes, stepContext(tree, disk, { places }))
  const what = `${where}: ${step.id} writes ${bytes.length} bytes`
  assert.ok(bytes.length > 0, what)
  if ('file' in step.where) {
    assert.ok(
      step.locate?.includes(step.where.file),
      `${where}: ${step.id} does not locate the file that it writes over`,
    )
    const place = places.get(step.where.file)
    const room = place?.extents.reduce((sum, { length }) => sum + length, 0) ?? 0
    assert.ok(bytes.length <= room, `${what} over ${step.where.file}, which has ${room}`)
    return
  }
  const { partition, offset } = step.where
  const whole = { offset: 0, size: diskSize(disk, ROOT_BYTES) }
  const range = partition === undefined ? whole : partitionRange(disk, whole.size, partition)
  assert.ok(offset >= 0 && offset + bytes.length <= range.size, `${what} beyond the ${partition ?? 'disk'}`)
  if (partition !== undefined) return
  const end = offset + bytes.length
  assert.ok(end <= TABLE[0] || offset >= TABLE[1], `${what} at ${offset}, over the partition table`)
  if (disk.table === 'gpt') assert.ok(end <= SECTOR || offset >= GPT_END, `${what} at ${offset}, over GPT's table`)
  for (const { role, firstLba } of disk.partitions)
    assert.ok(end <= firstLba * SECTOR, `${what} at ${offset}, into the ${role} partition without saying so`)
}

/** Every file in one piece, one behind the other, on the partition that its mount point says. */
async function placesOf(paths: readonly string[], disk: DiskPlan, tree: RootfsEdit): Promise<Map<string, FilePlace>> {
  const places = new Map<string, FilePlace>()
  let offset = MIB
  for (const path of paths) {
    const size = (await tree.stat(path.slice(1)))?.size
    if (size === undefined) continue
    const length = Math.ceil(size / BLOCK) * BLOCK
    places.set(path, { partition: holderOf(path, disk), extents: [{ at: 0, offset, length }] })
    offset += length
  }
  return places
}

function holderOf(path: string, { partitions }: DiskPlan): FilePlace['partition'] {
  const holders = partitions.filter(({ mountpoint }) => mountpoint !== undefined && `${path}/`.startsWith(mountpoint))
  return holders.sort((a, b) => (b.mountpoint ?? '').length - (a.mountpoint ?? '').length)[0]?.role ?? 'root'
}
