import type { GivenKernel, Rootfs } from '@c2m/plugin-api'
import { readText } from './files.js'

/** What finds the disk and reads it, on the machines that c2m makes disks for. */
const FOR_DISK = [
  ...['virtio_pci', 'virtio_blk', 'virtio_scsi', 'ahci', 'ata_piix', 'nvme', 'mptspi', 'vmw_pvscsi', 'hv_storvsc'],
  ...['xen_blkfront', 'sd_mod', 'crc32c_generic', 'ext4'],
]

/** Network cards, the DHCP client's sockets, the ports of virtual machines, and FAT for a boot partition. */
const FOR_SYSTEM = [
  ...['af_packet', 'virtio_net', 'e1000', 'e1000e', 'vmxnet3', 'hv_netvsc', 'xen_netfront', 'virtio_console'],
  ...['vfat', 'nls_ascii', 'nls_cp437', 'nls_utf8'],
]

export interface ModulePlan {
  /** Paths below /lib/modules/RELEASE, in the order of loading. */
  readonly disk: readonly string[]
  readonly system: readonly string[]
}

/**
 * The modules that a machine needs, of those that its kernel has; nothing that is built into the kernel.
 * @throws when depmod(8) was not run, or when the kernel cannot read the root
 */
export async function planModules({ release, modules }: GivenKernel): Promise<ModulePlan> {
  if (modules === undefined) return { disk: [], system: [] }
  const text = await readText(modules, 'modules.dep')
  if (text === undefined) {
    throw new Error(`the modules of the kernel ${release} have no modules.dep; make it with depmod -b DIR ${release}`)
  }
  const known = parseModulesDep(text)
  if (!known.has('ext4') && !(await isBuiltIn(modules, 'ext4'))) {
    throw new Error(`the kernel ${release} cannot read its root: it has ext4 neither as a module nor built in`)
  }
  return { disk: loadingOrder(known, FOR_DISK), system: loadingOrder(known, FOR_SYSTEM) }
}

/** Of each module, its path and those of all that it needs. */
export type ModulesDep = ReadonlyMap<string, { readonly path: string; readonly needs: readonly string[] }>

/** modules.dep(5): 'PATH: PATH …'; what a module needs stands after it, and is loaded from the last to the first. */
export function parseModulesDep(text: string): ModulesDep {
  const known = new Map<string, { path: string; needs: readonly string[] }>()
  for (const line of text.split('\n')) {
    const [path = '', rest = ''] = line.split(':')
    const needs = rest.split(' ').filter((word) => word !== '')
    if ([path, ...needs].every(isPlain)) known.set(nameOf(path), { path, needs })
  }
  return known
}

/** Every path once, after those that it needs. */
export function loadingOrder(known: ModulesDep, wanted: readonly string[]): readonly string[] {
  const order = wanted.flatMap((name) => {
    const module = known.get(name)
    return module === undefined ? [] : [...[...module.needs].reverse(), module.path]
  })
  return [...new Set(order)]
}

async function isBuiltIn(modules: Rootfs, name: string): Promise<boolean> {
  const text = (await readText(modules, 'modules.builtin')) ?? ''
  return text.split('\n').some((path) => nameOf(path) === name)
}

/** 'kernel/drivers/net/foo-bar.ko.xz' is the module foo_bar. */
function nameOf(path: string): string {
  return path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.ko(?:\.\w+)?$/, '')
    .replaceAll('-', '_')
}

/** The paths are used in a script and as names in an archive. */
function isPlain(path: string): boolean {
  return /^[\w.+-]+(?:\/[\w.+-]+)*\.ko(?:\.\w+)?$/.test(path) && !path.split('/').includes('..')
}
