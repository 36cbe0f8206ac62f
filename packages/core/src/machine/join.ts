import type { OpenedMachine, ReaderContext } from './reader.js'
import { joinMounts } from './mounts.js'
import { chooseRoot, findCandidates } from './root.js'
import { describeVolume, type Volume } from './volume.js'

/** Volumes become one tree: the root is found, and what its fstab mounts is joined to it. @throws C2M_ROOT_… */
export async function joinVolumes(volumes: readonly Volume[], context: ReaderContext): Promise<OpenedMachine> {
  const { reporter } = context
  const candidates = await findCandidates(volumes, context.menus, (volume, error) => {
    reporter.warn(`${volume.name} cannot be read: ${error.message}`)
  })
  const { volume, rootfs, reasons } = chooseRoot(context.root, candidates, volumes)
  const root = (await volume.whole?.()) ?? rootfs
  const opened = new Map(candidates.map((candidate) => [candidate.volume, candidate.rootfs]))
  const joined = await joinMounts(root, volume, volumes, opened, (message) => reporter.warn(message))
  return {
    rootfs: joined.rootfs,
    root: describeVolume(volume),
    reasons,
    mounts: joined.mounts.map(({ path, volume: from }) => ({ path, from: describeVolume(from) })),
  }
}
