import { isBlank, readTable, sourceRegion, type BlockSource, type FoundTable } from '@c2m/disk'
import { probeFilesystem } from '@c2m/filesystem'
import type { Reporter } from '@c2m/process'
import type { Volume } from '../volume.js'

/** A volume whose blocks can be read. */
export interface BlockVolume extends Volume {
  readonly source: BlockSource
}

/** What the table says, and what each partition holds; without a table the whole disk is one volume. */
export async function readVolumes(
  source: BlockSource,
  path: string,
  reporter: Reporter,
): Promise<{ readonly table: FoundTable | undefined; readonly volumes: readonly BlockVolume[] }> {
  const table = await readTable(source)
  for (const problem of table?.problems ?? []) reporter.warn(`${path}: ${problem}`)
  const volumes: BlockVolume[] = []
  if (table === undefined) volumes.push(await blockVolume('the whole disk', source))
  for (const partition of table?.partitions ?? []) {
    const region = sourceRegion(source, partition.offset, partition.size)
    volumes.push({ ...(await blockVolume(`partition ${partition.number}`, region)), partition })
  }
  return { table, volumes }
}

async function blockVolume(name: string, source: BlockSource): Promise<BlockVolume> {
  const filesystem = await probeFilesystem(source)
  return { name, size: source.size, filesystem, blank: filesystem === undefined && (await isBlank(source)), source }
}
