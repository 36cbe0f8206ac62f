import { openDisk, sniffDisk, type FoundTable } from '@c2m/disk'
import { isBlankDisk, TAR_BLOCK } from '@c2m/image'
import { probeFilesystem } from '@c2m/filesystem'
import { rootfsSummary } from '@c2m/rootfs'
import type { FoundDisk, MachineService } from '@c2m/plugin-api'
import { CleanupStack, isC2mError, type Reporter } from '@c2m/process'
import { stat } from 'node:fs/promises'
import { inject, injectable } from 'tsyringe'
import { machineTarget } from '../machine/open-machine.js'
import { joinMounts } from '../machine/mounts.js'
import { openDirect } from '../machine/readers/direct.js'
import { chooseRoot, findCandidates } from '../machine/root.js'
import type { Volume } from '../machine/volume.js'
import type { PluginRegistry } from '../plugins/registry.js'
import { know } from '../to-image/findings.js'
import { REGISTRY, REPORTER, SETTINGS, SIGNAL, type Settings } from '../tokens.js'

export interface DiskInspection {
  readonly kind: 'disk'
  readonly path: string
  readonly format: string
  readonly variant?: string
  /** All files that the disk is made of. */
  readonly files: readonly string[]
  /** Bytes. */
  readonly size: number
  readonly table?: Pick<FoundTable, 'table' | 'id' | 'sectorSize' | 'problems'>
  readonly volumes: readonly InspectedVolume[]
  readonly candidates: readonly {
    readonly volume: string
    readonly score: number
    readonly reasons: readonly string[]
  }[]
  /** The machine; undefined, with the reason, when its root cannot be told or read. */
  readonly machine?: InspectedMachine
  readonly notReadable?: string
}

export interface InspectedVolume {
  readonly name: string
  /** Bytes from the start of the disk. */
  readonly offset: number
  /** Bytes. */
  readonly size: number
  /** GPT type GUID, or MBR type byte as two hex digits. */
  readonly partitionType?: string
  readonly bootable?: boolean
  /** As blkid names it. */
  readonly filesystem?: string
  readonly uuid?: string
  readonly label?: string
  readonly usedBytes?: number
  /** Nothing can be found on it: it begins and ends with zeros. */
  readonly blank?: true
}

export interface InspectedMachine {
  readonly root: string
  readonly mounts: readonly { readonly path: string; readonly from: string }[]
  readonly os?: string
  readonly distro?: { readonly id: string; readonly plugin: string }
  readonly architecture: string
  readonly entries: number
  readonly bytes: number
  readonly bootloaders: readonly { readonly id: string; readonly what: string }[]
  readonly inits: readonly string[]
  readonly services: readonly MachineService[]
}

/** Whether a path is a disk rather than an image: by its first bytes; a block device always is. */
export async function isDisk(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isBlockDevice() === true) return true
  if (found?.isFile() !== true || machineTarget(path).kind !== 'disk') return false
  if ((await sniffDisk(path)) !== undefined) return true
  await using disk = await openDisk(path, { format: 'raw' })
  const { source } = disk
  if ((await probeFilesystem(source)) !== undefined) return true
  const head = new Uint8Array(Math.min(TAR_BLOCK, source.size))
  await source.read(0, head)
  return isBlankDisk(head, source.size)
}

/** What a disk is, without changing anything on it. */
@injectable()
export class DiskInspector {
  constructor(
    @inject(REGISTRY) private readonly registry: PluginRegistry,
    @inject(REPORTER) private readonly reporter: Reporter,
    @inject(SIGNAL) private readonly signal: AbortSignal,
    @inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async inspect(path: string): Promise<DiskInspection> {
    await using cleanup = new CleanupStack()
    const context = {
      menus: this.registry.menus(),
      temporaryFolder: this.settings.cache,
      env: this.settings.env,
      signal: this.signal,
      reporter: this.reporter,
    }
    const { disk, table, volumes } = await openDirect(path, context, cleanup)
    const candidates = await findCandidates(volumes, context.menus, (volume, error) =>
      this.reporter.warn(`${volume.name} cannot be read: ${error.message}`),
    )
    const common = {
      kind: 'disk' as const,
      path,
      format: disk.format,
      ...(disk.variant === undefined ? {} : { variant: disk.variant }),
      files: disk.files,
      size: disk.source.size,
      ...(table === undefined ? {} : { table: withoutPartitions(table) }),
      volumes: volumes.map(inspected),
      candidates: candidates.map(({ volume, score, reasons }) => ({ volume: volume.name, score, reasons })),
    }
    try {
      const root = chooseRoot(undefined, candidates, volumes)
      const opened = new Map(candidates.map(({ volume, rootfs }) => [volume, rootfs]))
      const joined = await joinMounts(root.rootfs, root.volume, volumes, opened, (text) => this.reporter.warn(text))
      const bootSector = new Uint8Array(512)
      await disk.source.read(0, bootSector)
      const { os, distro, architecture, findings } = await know(joined.rootfs, undefined, this.registry, this.reporter)
      const machine: InspectedMachine = {
        root: root.volume.name,
        mounts: joined.mounts.map(({ path: target, volume }) => ({ path: target, from: volume.name })),
        ...(os === undefined ? {} : { os: os.prettyName }),
        ...(distro === undefined ? {} : { distro }),
        architecture,
        ...(await rootfsSummary(joined.rootfs)),
        bootloaders: await this.#bootloaders({ bootSector, rootfs: joined.rootfs }),
        inits: findings.inits.map(({ id }) => id),
        services: findings.services,
      }
      return { ...common, machine }
    } catch (error) {
      if (!isC2mError(error) || this.signal.aborted) throw error
      return { ...common, notReadable: `${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}` }
    }
  }

  async #bootloaders(disk: FoundDisk): Promise<InspectedMachine['bootloaders']> {
    const found: { id: string; what: string }[] = []
    for (const { contribution, packageName } of this.registry.bootloaders()) {
      try {
        const what = await contribution.recognize?.(disk)
        if (what !== undefined) found.push({ id: contribution.id, what })
      } catch (error) {
        this.reporter.warn(`plugin ${packageName}: recognize failed: ${(error as Error).message}`)
      }
    }
    return found
  }
}

function withoutPartitions({ table, id, sectorSize, problems }: FoundTable) {
  return { table, id, sectorSize, problems }
}

function inspected({ name, size, partition, filesystem, blank }: Volume): InspectedVolume {
  return {
    name,
    offset: partition?.offset ?? 0,
    size,
    ...(partition === undefined ? {} : { partitionType: partition.type, bootable: partition.bootable }),
    ...(filesystem === undefined ? {} : { filesystem: filesystem.type }),
    ...(filesystem?.uuid === undefined ? {} : { uuid: filesystem.uuid }),
    ...(filesystem?.label === undefined ? {} : { label: filesystem.label }),
    ...(filesystem?.ext4 === undefined ? {} : { usedBytes: filesystem.ext4.usedBytes }),
    ...(blank === true ? { blank } : {}),
  }
}
