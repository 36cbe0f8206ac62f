import { openDisk, readTable, sourceRegion, type BlockSource, type FoundTable, type OpenDisk } from '@c2m/disk'
import { openExt4, probeFilesystem } from '@c2m/filesystem'
import type { CleanupStack } from '@c2m/process'
import type { ReaderContext } from '../reader.js'
import type { Volume } from '../volume.js'

/** A disk whose table has been read. */
export interface DirectDisk {
  readonly disk: OpenDisk
  /** Undefined when there is none: then the whole disk is one volume. */
  readonly table: FoundTable | undefined
  readonly volumes: readonly Volume[]
}

/** Reads a disk's partitions in this process, without root, modules or mounts. Resources are given to `cleanup`. */
export async function openDirect(path: string, context: ReaderContext, cleanup: CleanupStack): Promise<DirectDisk> {
  const disk = await openDisk(path, {
    format: context.format,
    allowBacking: context.allowBacking,
    signal: context.signal,
    env: context.env,
    reporter: context.reporter,
  })
  cleanup.defer(() => disk[Symbol.asyncDispose]())
  const table = await readTable(disk.source)
  for (const problem of table?.problems ?? []) context.reporter.warn(`${path}: ${problem}`)
  const volumes: Volume[] = []
  if (table === undefined) volumes.push(await volumeOf('the whole disk', disk.source, undefined, context, cleanup))
  for (const partition of table?.partitions ?? []) {
    const source = sourceRegion(disk.source, partition.offset, partition.size)
    volumes.push(await volumeOf(`partition ${partition.number}`, source, partition, context, cleanup))
  }
  return { disk, table, volumes }
}

async function volumeOf(
  name: string,
  source: BlockSource,
  partition: Volume['partition'],
  { signal, reporter }: ReaderContext,
  cleanup: CleanupStack,
): Promise<Volume> {
  const filesystem = await probeFilesystem(source)
  const volume = { name, size: source.size, partition, filesystem }
  if (filesystem?.ext4 === undefined) return volume
  const open = async () => {
    const onNotice = (notice: string) => reporter.warn(`${name}: ${notice}`)
    const rootfs = await openExt4(source, { signal, onNotice })
    cleanup.defer(() => rootfs[Symbol.asyncDispose]())
    return rootfs
  }
  return { ...volume, open }
}
