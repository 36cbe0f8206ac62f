import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { debianImage } from '../../packages/testkit/dist/index.js'
import { indexLayer, mergeLayers, packRootfs, rootfsSummary } from '../../packages/rootfs/dist/index.js'
import { c2m } from './c2m.js'

export const FOLDER = '.work/bench'
const PACKAGES =
  'linux-image-cloud-amd64,initramfs-tools,systemd-sysv,udev,dbus,iproute2,ifupdown,isc-dhcp-client,libllvm14,libicu72'

/** The tree that all measurements share: a Debian 12 with kernel and init, as an image and as one uncompressed tar. */
export async function prepare() {
  mkdirSync(FOLDER, { recursive: true })
  const base = await debianImage(`${FOLDER}/debian-12`, { suite: 'bookworm', created: 1_760_000_000 })
  const full = await debianImage(`${FOLDER}/debian-12-kernel`, {
    suite: 'bookworm',
    created: 1_760_000_000,
    include: PACKAGES.split(','),
  })
  const tar = `${FOLDER}/tree.tar`
  if (!existsSync(tar)) {
    const { openImage } = await import('../../packages/image/dist/index.js')
    const image = await openImage(`oci:${full}`, { cache: `${FOLDER}/cache` })
    const rootfs = await mergeLayers(image.layers)
    await pipeline(packRootfs(rootfs), createWriteStream(`${tar}.partial`))
    renameSync(`${tar}.partial`, tar)
    await rootfs[Symbol.asyncDispose]()
    await image[Symbol.asyncDispose]()
  }
  const tree = await mergeLayers([await indexLayer(tar)])
  const { entries } = await rootfsSummary(tree)
  await tree[Symbol.asyncDispose]()
  return { base, full, tar, tarBytes: statSync(tar).size, entries, c2m }
}
