import type { Rootfs } from '@c2m/plugin-api'
import type { BlockAllocator } from './block-allocator.js'
import type { BlockWriter } from './block-writer.js'
import { inodeSeed } from './checksum.js'
import { BLOCK_SIZE, FIRST_INODE } from './constants.js'
import { directoryBlocks, emptyDirectoryBlock, type Directory } from './directory-blocks.js'
import { treeError } from './errors.js'
import type { FileExtent } from './extent.js'
import type { ExtentList } from './extent-tree.js'
import type { FileWriter } from './file-writer.js'
import { addBlocks, addFlags, getSize, InodeFlag, isFileInode, setSize, setXattrBlock } from './inode.js'
import type { Inventory } from './inventory.js'
import { LOST_AND_FOUND_BLOCKS } from './inventory-taker.js'
import { finishXattrBlock } from './xattr.js'

/** What the parts of a tree are written with. */
export interface TreeWriter {
  readonly inventory: Inventory
  readonly allocator: BlockAllocator
  readonly writer: BlockWriter
  readonly files: FileWriter
  /** Of the file system; undefined without metadata_csum. */
  readonly seed: number | undefined
}

export async function writeDirectories({ inventory, files, seed }: TreeWriter): Promise<void> {
  const { directories, arena, inodes, rules } = inventory
  for (let at = 0; at < directories.length; at += 5) {
    const number = directories.at(at)
    const directory: Directory = {
      inode: number,
      parent: directories.at(at + 1),
      records: arena.get(directories.at(at + 2), directories.at(at + 3)),
      indexed: directories.at(at + 4) === 1,
      seed: seed === undefined ? undefined : inodeSeed(seed, number, 0),
    }
    files.begin()
    let blocks = 0
    for (const block of directoryBlocks(directory, rules)) {
      await files.append(block)
      blocks++
    }
    for (; number === FIRST_INODE && !directory.indexed && blocks < LOST_AND_FOUND_BLOCKS; blocks++) {
      await files.append(emptyDirectoryBlock(rules, directory.seed))
    }
    const inode = inodes.at(number)
    setSize(inode, blocks * BLOCK_SIZE)
    if (directory.indexed) addFlags(inode, InodeFlag.index)
    await files.finish('', number, inode)
  }
}

/** The targets that are too long to lie in the inode. */
export async function writeSymlinks({ inventory, files }: TreeWriter): Promise<void> {
  const { symlinks, arena, inodes } = inventory
  for (let at = 0; at < symlinks.length; at += 3) {
    const number = symlinks.at(at)
    files.begin()
    await files.append(arena.get(symlinks.at(at + 1), symlinks.at(at + 2)))
    await files.finish('', number, inodes.at(number))
  }
}

export async function writeXattrBlocks({ inventory, allocator, writer, seed }: TreeWriter): Promise<void> {
  const { xattrBlocks, xattrUsers, inodes } = inventory
  const places = new Uint32Array(xattrBlocks.length)
  for (let index = 0; index < xattrBlocks.length; index++) {
    const { block, references } = xattrBlocks.at(index)
    const place = allocator.take(1).block
    finishXattrBlock(block, place, references, seed)
    await writer.putBlock(place, block)
    places[index] = place
  }
  for (let at = 0; at < xattrUsers.length; at += 2) {
    const inode = inodes.at(xattrUsers.at(at))
    setXattrBlock(inode, places[xattrUsers.at(at + 1)]!)
    addBlocks(inode, 1)
  }
}

/**
 * Writes the content of all files in the order in which it comes.
 * @returns the extents of the files that were asked for
 * @throws C2M_EXT4_TREE when content is missing, comes twice or is of a file that the walk did not show
 */
export async function writeBodies(
  { inventory, files }: TreeWriter,
  rootfs: Rootfs,
): Promise<Map<string, FileExtent[]>> {
  const { inodes, numbers, located, fileSizes } = inventory
  const found = new Map<string, FileExtent[]>()
  const done = new Uint8Array(inodes.last + 1)
  let missing = fileSizes.length
  for await (const { entry, body } of rootfs.contents()) {
    const { path } = entry
    const number = numbers.get(entry.inode)
    if (number === undefined || done[number] === 1) throw treeError(path, 'has content twice, or is not part of it')
    const inode = inodes.at(number)
    if (!isFileInode(inode)) throw treeError(path, 'has content but is not a regular file')
    done[number] = 1
    const size = getSize(inode)
    if (size > 0) missing--
    await files.writeBody(path, size, body)
    await files.finish(path, number, inode)
    for (const asked of located.get(number) ?? []) found.set(asked, listExtents(files.extents))
  }
  if (missing > 0) throw treeError('', `lacks the content of ${missing} of its files`)
  return found
}

function listExtents(extents: ExtentList): FileExtent[] {
  return Array.from({ length: extents.length }, (_, index) => extents.at(index))
}
