import { filterRootfs, packRootfs } from '@c2m/rootfs'
import type { NewLayer } from '@c2m/image'
import type { Rootfs } from '@c2m/plugin-api'

/**
 * The tree as layers of an image: one, or what distro packages put there below the rest, so that a changed
 * configuration does not send the packages again. Bodies are read in the order in which they are stored.
 */
export async function layersOf(rootfs: Rootfs, packageFiles: ReadonlySet<string> | undefined): Promise<NewLayer[]> {
  if (packageFiles === undefined) return [layer('c2m: the whole machine', rootfs)]
  const ofPackages = (path: string) => packageFiles.has(path)
  // a directory stays wherever something in it does
  const packages = await filterRootfs(rootfs, ({ path }) => fate(ofPackages(path)))
  const others = await filterRootfs(rootfs, ({ path }) => fate(!ofPackages(path)))
  return [layer("c2m: the packages' files", packages), layer("c2m: the machine's own files", others)]
}

function fate(stays: boolean) {
  return stays ? ({ fate: 'keep' } as const) : ({ fate: 'remove', reason: undefined } as const)
}

function layer(createdBy: string, rootfs: Rootfs): NewLayer {
  return { createdBy, tar: () => packRootfs(rootfs, { order: 'storage', reuseMemory: true }) }
}
