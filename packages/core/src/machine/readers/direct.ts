import { openDisk, type FoundTable, type OpenDisk } from '@c2m/disk'
import { openExt4 } from '@c2m/filesystem'
import type { CleanupStack } from '@c2m/process'
import type { ReaderContext } from '../reader.js'
import type { Volume } from '../volume.js'
import { readVolumes, type BlockVolume } from './block-volumes.js'

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
  const { table, volumes } = await readVolumes(disk.source, path, context.reporter)
  return { disk, table, volumes: volumes.map((volume) => readable(volume, context, cleanup)) }
}

function readable(volume: BlockVolume, { signal, reporter }: ReaderContext, cleanup: CleanupStack): Volume {
  const { name, source, filesystem } = volume
  if (filesystem?.ext4 === undefined) return volume
  const open = async () => {
    const onNotice = (notice: string) => reporter.warn(`${name}: ${notice}`)
    const rootfs = await openExt4(source, { signal, onNotice })
    cleanup.defer(() => rootfs[Symbol.asyncDispose]())
    return rootfs
  }
  return { ...volume, open }
}
