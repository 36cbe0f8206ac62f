import type { Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { baseName } from '../name/path.js'
import { cutRootfs, planCut } from './cut.js'

/** Names that mean something else in a layer (image-spec, layer.md, "Whiteouts"). */
const WHITEOUT = '.wh.'

/**
 * Extended attributes that belong to the machine: labels of its SELinux policy, overlayfs's own notes (overlayfs.rst),
 * integrity measurements with its keys, NFSv4 ACLs, which no local file system takes.
 */
const MACHINE_XATTRS = /^(?:security\.(?:selinux|ima|evm)|trusted\.overlay\..*|user\.overlay\..*|system\.nfs4_acl)$/

export interface Inexpressible {
  readonly path: string
  /** As words after 'because'. */
  readonly why: string
}

export interface ExpressibleOptions {
  /** Keep character and block devices, which rootless runtimes cannot make. */
  readonly devices?: boolean
  onLeftOut?(what: Inexpressible): void
  /** Told of each attribute that is dropped. */
  onXattr?(path: string, name: string): void
}

/**
 * The tree as a layer of an image can hold it: without sockets, names that begin with '.wh.', devices and attributes that
 * only the machine understands. The tree stays its owner's.
 */
export async function expressibleRootfs(rootfs: Rootfs, options: ExpressibleOptions = {}): Promise<Rootfs> {
  const { devices = false, onLeftOut = () => undefined, onXattr = () => undefined } = options
  const cut = await planCut<string>(
    rootfs,
    (entry) => {
      const why = whyNot(entry, devices)
      if (why !== undefined) return { fate: 'remove', reason: why }
      for (const name of entry.xattrs.keys()) if (MACHINE_XATTRS.test(name)) onXattr(entry.path, name)
      return undefined
    },
    ({ path }, why) => onLeftOut({ path, why }),
  )
  return cutRootfs(rootfs, cut, withoutMachineXattrs)
}

function whyNot({ path, type }: RootfsEntry, devices: boolean): string | undefined {
  if (baseName(path).startsWith(WHITEOUT)) return "in a layer, a name that begins with '.wh.' removes another"
  if (type === 'socket') return 'no archive holds sockets; the program that listens makes it anew'
  if ((type === 'character' || type === 'block') && !devices) return 'a runtime makes the devices of a container'
  return undefined
}

function withoutMachineXattrs(entry: RootfsEntry): RootfsEntry {
  if (entry.xattrs.size === 0) return entry
  const kept = [...entry.xattrs].filter(([name]) => !MACHINE_XATTRS.test(name))
  return kept.length === entry.xattrs.size ? entry : { ...entry, xattrs: new Map(kept) }
}
