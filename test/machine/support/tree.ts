import { mkdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { debian12Services } from '../../support/debian.js'
import { WORK } from '../../support/paths.js'
import { shell, tool } from './tools.js'

/** Disks that other tools made; kept between runs. */
const MACHINES = `${WORK}machines`

/** Unpacks the only layer of an OCI layout as root. */
export async function unpack(layout: string, folder: string): Promise<void> {
  const json = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Record<string, { digest: string }[]>
  const blob = (digest = '') => join(layout, 'blobs', ...digest.split(':'))
  const manifest = (await json(join(layout, 'index.json')))['manifests']?.[0]
  const layer = (await json(blob(manifest?.digest)))['layers']?.[0]
  await mkdir(folder, { recursive: true })
  const flags = ['--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner']
  await tool('tar', ['-xzf', blob(layer?.digest), '-C', folder, ...flags])
}

/** Makes a file system of a tree in a part of a disk, or in the whole of a file. */
export async function mke2fs(
  type: 'ext2' | 'ext3' | 'ext4',
  tree: string,
  disk: string,
  where: { readonly start: number; readonly size: number },
  ...flags: readonly string[]
): Promise<void> {
  const extended = where.start > 0 ? ['-E', `offset=${where.start}`] : []
  const blocks = `${Math.floor(where.size / 1024)}k`
  await tool('mke2fs', ['-q', '-F', '-t', type, '-d', tree, ...extended, ...flags, disk, blocks])
}

/** Makes an empty disk. */
export async function emptyDisk(path: string, size: number): Promise<void> {
  await writeFile(path, '')
  await truncate(path, size)
}

/**
 * A disk that is made once: a change of its maker's source needs another name.
 * @param make writes the disk to `path`; `tree` is a folder for what goes into it
 */
export async function keptDisk(name: string, make: (path: string, tree: string) => Promise<void>): Promise<string> {
  const path = join(MACHINES, name)
  if (existsSync(path)) return path
  await mkdir(MACHINES, { recursive: true })
  const scratch = await tool('mktemp', ['-d', join(MACHINES, 'making-XXXXXX')])
  const folder = scratch.trim()
  try {
    await make(join(folder, 'disk'), join(folder, 'tree'))
    await rename(join(folder, 'disk'), path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return path
}

/** A dump of the root of a machine with nginx, redis and ssh, by mke2fs; needs root. */
export function servicesDisk(): Promise<string> {
  return keptDisk('debian-12-services.ext4', async (path, tree) => {
    await unpack(await debian12Services(), tree)
    const size = 640 * 1024 ** 2
    await emptyDisk(path, size)
    await mke2fs('ext4', tree, path, { start: 0, size })
  })
}

/** sha256 and time of change: what shows that a file was left alone. */
export async function stateOf(path: string): Promise<string> {
  const { mtimeMs, size } = await stat(path)
  return `${(await shell('sha256sum < "$1"', path)).trim()} ${mtimeMs} ${size}`
}
