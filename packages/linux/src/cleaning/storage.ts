import type { CleaningRule, Rootfs } from '@c2m/plugin-api'
import type { ConfigurationReader } from '../files/configuration-reader.js'
import { relativePath } from '../files/paths.js'
import { parseFstab } from '../machine/fstab-entries.js'
import { globOf } from './glob.js'

/** Page sizes of the kernels that Linux runs with, in bytes. */
const PAGE_SIZES = [4096, 16_384, 65_536]
const SIGNATURE = 'SWAPSPACE2'

export async function storageRules(reader: ConfigurationReader): Promise<readonly CleaningRule[]> {
  return [
    {
      id: 'fstab',
      summary: 'file systems to mount, disks to unlock and to assemble',
      byDefault: true,
      remove: [
        '/etc/{fstab,crypttab,mdadm.conf,mdadm/mdadm.conf,mtab.old,blkid.tab,blkid.tab.old,zfs/zpool.cache}',
        '/etc/lvm/devices/system.devices',
        '/etc/lvm/{archive,backup,cache}/*',
        '/etc/multipath/{bindings,wwids}',
        '/etc/iscsi/initiatorname.iscsi',
        '/etc/blkid/blkid.tab*',
      ],
    },
    {
      id: 'swap',
      summary: 'swap files',
      byDefault: true,
      remove: ['/swap/swapfile', ...(await swapFiles(reader))],
      removeFiles: ['/{swapfile,swap.img,swap.sys}'],
    },
    {
      id: 'lost-found',
      summary: 'directories for what a file system check finds',
      byDefault: true,
      remove: ['/{,*/}lost+found'],
    },
  ]
}

/** Files that fstab(5) names as swap and that are: a line by mistake must not cost a file. */
async function swapFiles(reader: ConfigurationReader): Promise<readonly string[]> {
  const found: string[] = []
  for (const { source, type } of parseFstab((await reader.text('/etc/fstab')) ?? '')) {
    if (type !== 'swap' || !source.startsWith('/') || source.startsWith('/dev/')) continue
    const path = await reader.rootfs.resolve(relativePath(source))
    if (path !== undefined && (await isSwap(reader.rootfs, path))) found.push(globOf(path))
  }
  return found
}

/** mkswap(8): the signature ends the first page. */
async function isSwap(rootfs: Rootfs, path: string): Promise<boolean> {
  const entry = await rootfs.stat(path)
  if (entry?.type !== 'file' || entry.size < PAGE_SIZES[0]!) return false
  const head = Buffer.alloc(PAGE_SIZES.at(-1)!)
  for await (const { offset, data } of rootfs.stream(path)) {
    if (offset >= head.length) break
    head.set(data.subarray(0, head.length - offset), offset)
  }
  return PAGE_SIZES.some((size) => head.toString('latin1', size - SIGNATURE.length, size) === SIGNATURE)
}
