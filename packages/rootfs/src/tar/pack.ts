import type { Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { mayHaveHoles } from '../tree/dentry.js'
import type { SparseRun, TarEntryType, TarInput } from './member.js'
import { writeTar, type TarWriteOptions } from './writer.js'

export interface PackOptions extends TarWriteOptions {
  /**
   * 'path' (the default): the order of a walk, so the bytes depend on the tree alone. 'storage': directories, links and
   * devices first, then files in the order in which they are stored, which reads a disk from front to back.
   */
  readonly order?: 'path' | 'storage'
  /**
   * Store files with holes as GNU sparse files (PAX 1.0) instead of zeros. Files that may have some are read twice; a
   * function says of which that must be believed.
   */
  readonly sparse?: boolean | ((path: string) => Promise<boolean>)
  /** Takes entries that tar cannot express (sockets). Without it they are an error. */
  readonly onOmitted?: (entry: RootfsEntry, because: string) => void
}

/**
 * A whole tree as a tar archive: parents before children, hard links after the first name of their file, nothing twice.
 * @throws C2M_TAR_SOCKET for a socket when there is no `onOmitted`; C2M_TAR_HOLES
 */
export async function* packRootfs(rootfs: Rootfs, options: PackOptions = {}): AsyncGenerator<Uint8Array> {
  const members = options.order === 'storage' ? membersByStorage(rootfs, options) : membersByPath(rootfs, options)
  yield* writeTar(members, options)
}

async function* membersByPath(rootfs: Rootfs, options: PackOptions): AsyncGenerator<TarInput> {
  const firstNames = new Map<number, string>()
  for await (const entry of rootfs.walk()) {
    const type = expressible(entry, options)
    if (type === undefined) continue
    const first = firstNames.get(entry.inode)
    if (first !== undefined) {
      yield hardLink(entry, first)
      continue
    }
    if (entry.nlink > 1 && type !== 'directory') firstNames.set(entry.inode, entry.path)
    yield type === 'file' ? await fileMember(rootfs, entry, options) : plainMember(entry, type)
  }
}

async function* membersByStorage(rootfs: Rootfs, options: PackOptions): AsyncGenerator<TarInput> {
  const groups = new Map<number, RootfsEntry[]>()
  for await (const entry of rootfs.walk()) {
    const type = expressible(entry, options)
    if (type === undefined) continue
    const group = groups.get(entry.inode)
    if (group !== undefined && type !== 'file') yield hardLink(entry, group[0]!.path)
    else if (type !== 'file') yield plainMember(entry, type)
    if (entry.nlink <= 1 || type === 'directory') continue
    if (group === undefined) groups.set(entry.inode, [entry])
    else group.push(entry)
  }
  for await (const { entry, body } of rootfs.contents()) {
    yield options.sparse ? await fileMember(rootfs, entry, options) : { ...plainMember(entry, 'file'), body }
    for (const other of groups.get(entry.inode) ?? []) {
      if (other.path !== entry.path) yield hardLink(other, entry.path)
    }
  }
}

function expressible(entry: RootfsEntry, options: PackOptions): TarEntryType | undefined {
  if (entry.type !== 'socket') return entry.type
  if (options.onOmitted === undefined) {
    throw new C2mError('C2M_TAR_SOCKET', `${JSON.stringify(entry.path)} is a socket, which tar cannot express`, {
      hint: 'remove it; sockets are made anew by the programs that listen on them',
    })
  }
  options.onOmitted(entry, 'tar cannot express sockets')
  return undefined
}

function plainMember(entry: RootfsEntry, type: TarEntryType): TarInput {
  const { path, mode, uid, gid, mtime, size, linkTarget, device, xattrs } = entry
  return { path: path === '' ? './' : path, type, mode, uid, gid, mtime, size, linkTarget, device, xattrs }
}

function hardLink(entry: RootfsEntry, first: string): TarInput {
  return { ...plainMember(entry, 'hardlink'), linkTarget: first, device: undefined }
}

async function fileMember(rootfs: Rootfs, entry: RootfsEntry, options: PackOptions): Promise<TarInput> {
  const member = { ...plainMember(entry, 'file'), body: rootfs.stream(entry.path) }
  const { sparse = false } = options
  if (sparse === false || entry.size === 0) return member
  const may = sparse === true ? mayHaveHoles(rootfs, entry.path) : sparse(entry.path)
  if (!(await may)) return member
  const runs = await findRuns(rootfs, entry.path)
  const isWhole = runs.length === 1 && runs[0]!.length === entry.size
  return isWhole ? member : { ...member, sparse: runs }
}

async function findRuns(rootfs: Rootfs, path: string): Promise<SparseRun[]> {
  const runs: { offset: number; length: number }[] = []
  for await (const { offset, data } of rootfs.stream(path)) {
    const last = runs.at(-1)
    if (last !== undefined && last.offset + last.length === offset) last.length += data.length
    else if (data.length > 0) runs.push({ offset, length: data.length })
  }
  return runs
}
