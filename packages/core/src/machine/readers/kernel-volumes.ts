import { readdir, lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { probeFilesystem } from '@c2m/filesystem'
import type { Reporter, CleanupStack } from '@c2m/process'
import type { ReaderContext } from '../reader.js'
import { describeVolume, type Volume } from '../volume.js'
import { deviceSize, deviceSource } from './kernel-device.js'
import { isMountable, KernelMount } from './kernel-mount.js'
import { isWrongPassphrase, openLuks } from './luks.js'
import { activateLvm } from './lvm.js'

/** A volume with the device that the kernel has it on. */
export interface DeviceVolume extends Volume {
  readonly device: string
}

/** Encrypted volumes and volume groups in one another: deeper is nobody's machine. */
const MOST_LAYERS = 8
/** The inode number of every btrfs subvolume's top (btrfs on-disk format, BTRFS_FIRST_FREE_OBJECTID). */
const SUBVOLUME_INODE = 256

/** Opens what volumes are kept in, until there are file systems; those that the kernel can mount get a way to do so. */
export class KernelVolumes {
  readonly #all: Volume[] = []
  #locked: unknown
  #opened = 0

  constructor(
    private readonly context: ReaderContext,
    private readonly cleanup: CleanupStack,
  ) {}

  /** @throws C2M_PASSPHRASE when none of the encrypted volumes could be opened; C2M_LVM_NAME, C2M_COMMAND_FAILED, … */
  async unfold(volumes: readonly DeviceVolume[]): Promise<readonly Volume[]> {
    let layer = volumes
    for (let depth = 0; layer.length > 0 && depth < MOST_LAYERS; depth++) layer = await this.#inside(layer)
    if (this.#locked !== undefined && this.#opened === 0) throw this.#locked as Error
    return this.#all
  }

  /** Takes the file systems of one layer, and gives what is in its containers. */
  async #inside(volumes: readonly DeviceVolume[]): Promise<readonly DeviceVolume[]> {
    const inner: DeviceVolume[] = []
    const physical: string[] = []
    for (const volume of volumes) {
      const type = volume.filesystem?.type ?? ''
      if (type === 'btrfs') {
        this.#all.push(...(await this.#btrfs(volume)))
      } else if (isMountable(type)) {
        this.#all.push(this.#mountable(volume, volume.name, []))
      } else {
        this.#all.push(volume)
      }
      if (type === 'LVM2_member') physical.push(volume.device)
      if (type === 'crypto_LUKS') inner.push(...(await this.#luks(volume)))
    }
    if (physical.length === 0) return inner
    for (const { device, path } of await activateLvm(physical, this.context, this.cleanup)) {
      inner.push(await this.#probed(path, device, [path, device]))
    }
    return inner
  }

  async #luks(volume: DeviceVolume): Promise<readonly DeviceVolume[]> {
    const { name, device, filesystem } = volume
    try {
      const own = `c2m-${process.pid}-${this.#opened}`
      const opened = await openLuks(device, own, name, this.context, this.cleanup)
      if (opened === undefined) {
        this.context.reporter.warn(`${name} is encrypted; --passphrase-file opens it`)
        return []
      }
      this.#opened++
      const inside = await this.#probed(`${name}, decrypted`, opened, [`/dev/mapper/luks-${filesystem?.uuid}`])
      return [{ ...inside, container: volume }]
    } catch (error) {
      if (!isWrongPassphrase(error)) throw error
      // another volume may be the one that the passphrase is for
      this.#locked = error
      this.context.reporter.warn((error as Error).message)
      return []
    }
  }

  async #probed(name: string, device: string, devices: readonly string[]): Promise<DeviceVolume> {
    await using source = await deviceSource(device)
    return { name, size: await deviceSize(device), filesystem: await probeFilesystem(source), device, devices }
  }

  #mountable(volume: DeviceVolume, name: string, options: readonly string[]): Volume {
    const { device, filesystem } = volume
    const { context, cleanup } = this
    let mount: Promise<KernelMount> | undefined
    const mounted = () => (mount ??= KernelMount.make(device, filesystem?.type ?? '', name, options, context, cleanup))
    return {
      ...volume,
      name,
      open: async () => (await mounted()).look(),
      whole: async () => (await mounted()).whole(),
    }
  }

  /** The subvolume that is mounted by default comes first: it is meant where none is named. */
  async #btrfs(volume: DeviceVolume): Promise<readonly Volume[]> {
    const { device, name } = volume
    const { context, cleanup } = this
    try {
      const top = await KernelMount.make(device, 'btrfs', name, ['subvolid=5'], context, cleanup)
      const named = await subvolumes(top.folder)
      const standard = (await (await KernelMount.make(device, 'btrfs', name, [], context, cleanup)).part()).slice(1)
      const of = (subvolume: string): Volume => ({
        ...this.#mountable(volume, subvolume === '' ? name : `${name}, subvolume ${subvolume}`, [
          `subvol=/${subvolume}`,
        ]),
        subvolume,
      })
      return [standard, ...named.filter((subvolume) => subvolume !== standard)].map(of)
    } catch (error) {
      tell(context.reporter, volume, error)
      return [volume]
    }
  }
}

/** Subvolumes in the first two levels, but no snapshots; a comma would end the name in an option of mount(8). */
async function subvolumes(top: string): Promise<readonly string[]> {
  const found: string[] = []
  const visit = async (path: string, depth: number): Promise<void> => {
    for (const { name } of (await readdir(join(top, path), { withFileTypes: true })).filter((one) =>
      one.isDirectory(),
    )) {
      if (/^\.snapshots$|[,\s\ufffd]/.test(name)) continue
      const inner = path === '' ? name : `${path}/${name}`
      const isSubvolume = (await lstat(join(top, inner))).ino === SUBVOLUME_INODE
      if (isSubvolume) found.push(inner)
      else if (depth < 2) await visit(inner, depth + 1)
    }
  }
  await visit('', 1)
  return found.sort()
}

function tell(reporter: Reporter, volume: Volume, error: unknown): void {
  reporter.warn(`${describeVolume(volume)} cannot be read: ${(error as Error).message}`)
}
