import type { Rootfs, RootfsEntry, Timestamp } from '@c2m/plugin-api'
import { throwIfAborted } from '@c2m/process'
import { encodeName } from '@c2m/rootfs'
import { placeXattrs, storedXattrs } from './attributes.js'
import { BLOCK_SIZE, FIRST_INODE, LINK_MAX, ROOT_INODE } from './constants.js'
import { encodeDevice, isStorableDevice } from './device-number.js'
import { measureDirectory } from './directory-blocks.js'
import { DIRECTORY_TYPE, fileType } from './directory-entry.js'
import { DirectoryFrame } from './directory-frame.js'
import { treeError, unstorable } from './errors.js'
import { clearExtentTree } from './extent-tree.js'
import { encodeInode, getLinks, InodeFlag, inodeBlock, INODE_BLOCK_SIZE, setLinks } from './inode.js'
import { Inventory } from './inventory.js'
import { checkName } from './name.js'
import type { Settings } from './options.js'
import { clampTime, isStorableTime } from './timestamp.js'

const LOST_AND_FOUND = 'lost+found'
/** mke2fs gives lost+found room for names from the start: fsck must not have to find blocks for it. */
export const LOST_AND_FOUND_BLOCKS = 4
/** The largest file, from 32-bit block numbers within it. */
const MAX_FILE_SIZE = (2 ** 32 - 1) * BLOCK_SIZE
const MAX_LINK_TARGET = BLOCK_SIZE - 1
const MAX_ID = 2 ** 32 - 1
const ABORT_INTERVAL = 1024

export interface InventoryOptions {
  readonly signal?: AbortSignal
  readonly locate?: readonly string[]
}

/** Files above this are looked at for holes before they are said not to fit; bytes. */
const LARGE_FILE = 256 * 1024 * 1024

/**
 * Walks the tree once.
 * @throws C2M_EXT4_TREE, C2M_EXT4_UNSTORABLE, C2M_INTERRUPTED
 */
export async function takeInventory(rootfs: Rootfs, settings: Settings, options: InventoryOptions): Promise<Inventory> {
  const taker = new InventoryTaker(settings, new Set(options.locate))
  for await (const entry of rootfs.walk()) {
    if (taker.inventory.entries % ABORT_INTERVAL === 0) throwIfAborted(options.signal)
    taker.add(entry)
  }
  return taker.finish()
}

class InventoryTaker {
  readonly inventory: Inventory
  readonly #settings: Settings
  readonly #locate: ReadonlySet<string>
  readonly #open: DirectoryFrame[] = []
  #hasLostAndFound = false

  constructor(settings: Settings, locate: ReadonlySet<string>) {
    this.#settings = settings
    this.#locate = locate
    this.inventory = new Inventory(settings)
  }

  add(entry: RootfsEntry): void {
    const { path } = entry
    const { inventory } = this
    inventory.entries++
    if (this.#open.length === 0) {
      if (path !== '' || entry.type !== 'directory') throw treeError(path, 'comes where the root directory should')
      this.#addInode(entry, ROOT_INODE)
      this.#open.push(new DirectoryFrame('', ROOT_INODE, ROOT_INODE))
      return
    }
    const slash = path.lastIndexOf('/')
    const frame = this.#frameOf(path, slash < 0 ? '' : path.slice(0, slash))
    const name = checkName(path, encodeName(path.slice(slash + 1)))
    frame.checkOrder(path, name)
    const inode = this.#inodeFor(entry)
    frame.add(inode, fileType(entry.type), name)
    if (entry.type === 'directory') this.#open.push(new DirectoryFrame(path, inode, frame.inode))
    if (this.#locate.has(path) && entry.type === 'file') {
      inventory.located.set(inode, [...(inventory.located.get(inode) ?? []), path])
    }
  }

  finish(): Inventory {
    const root = this.#open[0]
    if (root === undefined) throw treeError('', 'is missing')
    if (!this.#hasLostAndFound) {
      this.#addLostAndFound()
      root.add(FIRST_INODE, DIRECTORY_TYPE, Buffer.from(LOST_AND_FOUND))
    }
    while (this.#open.length > 0) this.#close()
    return this.inventory
  }

  /** Closes what the walk has left. */
  #frameOf(path: string, parent: string): DirectoryFrame {
    for (let frame = this.#open.at(-1); frame !== undefined; frame = this.#open.at(-1)) {
      if (frame.path === parent) return frame
      if (this.#open.length === 1) break
      this.#close()
    }
    throw treeError(path, 'does not come right after its directory')
  }

  #close(): void {
    const frame = this.#open.pop()!
    const { records, inode, parent, subdirectories } = frame
    const { inventory } = this
    const measured = measureDirectory(records, inventory.rules)
    if (measured === undefined)
      throw unstorable(frame.path, 'it has too many entries', 'spread them over several directories')
    const links = 2 + subdirectories
    const tooMany = links > LINK_MAX
    if (tooMany && !(measured.indexed && this.#settings.features.has('dir_nlink'))) {
      throw unstorable(
        frame.path,
        `it has ${subdirectories} subdirectories`,
        'use the ext4 features dir_index and dir_nlink',
      )
    }
    // one link means: too many to count
    setLinks(inventory.inodes.at(inode), tooMany ? 1 : links)
    inventory.directories.push(inode)
    inventory.directories.push(parent)
    inventory.directories.push(inventory.arena.add(records))
    inventory.directories.push(records.length)
    inventory.directories.push(measured.indexed ? 1 : 0)
    const least = inode === FIRST_INODE && !measured.indexed ? LOST_AND_FOUND_BLOCKS : 1
    inventory.directoryBlocks += Math.max(measured.blocks, least)
  }

  #inodeFor(entry: RootfsEntry): number {
    const { inodes, numbers } = this.inventory
    if (entry.type === 'directory') {
      const isLostAndFound = entry.path === LOST_AND_FOUND
      if (isLostAndFound) this.#hasLostAndFound = true
      return this.#addInode(entry, isLostAndFound ? FIRST_INODE : inodes.allocate())
    }
    if (entry.path === LOST_AND_FOUND) {
      throw unstorable(entry.path, 'fsck needs a directory of this name', 'rename or remove it')
    }
    const known = numbers.get(entry.inode)
    if (known === undefined) {
      const number = this.#addInode(entry, inodes.allocate())
      numbers.set(entry.inode, number)
      return number
    }
    const inode = inodes.at(known)
    const links = getLinks(inode) + 1
    if (links > LINK_MAX)
      throw unstorable(entry.path, `its file has more than ${LINK_MAX} names`, 'make some of them copies')
    setLinks(inode, links)
    return known
  }

  #addInode(entry: RootfsEntry, number: number): number {
    const { inventory } = this
    const { path, type, uid, gid } = entry
    for (const id of [uid, gid]) {
      if (!Number.isInteger(id) || id < 0 || id > MAX_ID)
        throw unstorable(path, `its owner ${id} is not a 32-bit number`, 'change the owner')
    }
    if (!isStorableTime(entry.mtime)) {
      inventory.losses.push({
        path,
        what: `its time ${entry.mtime.seconds} is outside what ext4 can hold (1901 to 2446)`,
      })
    }
    const inode = inventory.inodes.at(number)
    const mtime = clampTime(entry.mtime)
    const content = this.#content(entry, number, inode)
    encodeInode(inode, {
      type,
      mode: entry.mode,
      uid,
      gid,
      links: 1,
      mtime,
      atime: mtime,
      ...content,
      ...madeAt(this.#settings),
    })
    if (entry.xattrs.size > 0) this.#addXattrs(entry, number, inode)
    return number
  }

  /** What depends on the type: i_block as far as it is known, i_size and i_flags. */
  #content(entry: RootfsEntry, number: number, inode: Buffer): { size: number; flags: number } {
    switch (entry.type) {
      case 'file':
        clearExtentTree(inode)
        return { size: this.#addFile(entry), flags: InodeFlag.extents }
      case 'directory':
        clearExtentTree(inode)
        return { size: 0, flags: InodeFlag.extents }
      case 'symlink':
        return this.#addSymlink(entry, number, inode)
      case 'character':
      case 'block':
        this.#addDevice(entry, inode)
        return { size: 0, flags: 0 }
      default:
        return { size: 0, flags: 0 }
    }
  }

  #addFile({ path, size }: RootfsEntry): number {
    const { inventory } = this
    if (!Number.isSafeInteger(size) || size < 0 || size > MAX_FILE_SIZE) {
      throw unstorable(path, `its size is ${size} bytes`, 'ext4 holds files below 16 TiB')
    }
    if (size === 0) return 0
    if (size > LARGE_FILE) inventory.largeFiles.push({ path, size })
    inventory.fileSizes.push(size)
    inventory.contentBytes += size
    return size
  }

  #addSymlink({ path, linkTarget }: RootfsEntry, number: number, inode: Buffer): { size: number; flags: number } {
    const target = linkTarget === undefined ? undefined : encodeName(linkTarget)
    if (target === undefined || target.length === 0 || target.includes(0))
      throw treeError(path, 'is a symlink without a valid target')
    if (target.length > MAX_LINK_TARGET) {
      throw unstorable(path, `its target has ${target.length} bytes, more than ${MAX_LINK_TARGET}`, 'shorten it')
    }
    if (target.length < INODE_BLOCK_SIZE) {
      inodeBlock(inode).set(target)
      return { size: target.length, flags: 0 }
    }
    const { symlinks, arena } = this.inventory
    symlinks.push(number)
    symlinks.push(arena.add(target))
    symlinks.push(target.length)
    return { size: target.length, flags: InodeFlag.extents }
  }

  #addDevice({ path, device }: RootfsEntry, inode: Buffer): void {
    if (device === undefined || !isStorableDevice(device)) {
      const number = device === undefined ? 'missing' : `${device.major}:${device.minor}`
      throw unstorable(
        path,
        `its device number is ${number}`,
        'ext4 holds a major number below 4096 and a minor one below 1048576',
      )
    }
    const [old, young] = encodeDevice(device)
    inodeBlock(inode).writeUInt32LE(old, 0)
    inodeBlock(inode).writeUInt32LE(young, 4)
  }

  #addXattrs(entry: RootfsEntry, number: number, inode: Buffer): void {
    const { inventory } = this
    const xattrs = storedXattrs(entry, (loss) => inventory.losses.push(loss))
    if (xattrs.length > 0 && !this.#settings.features.has('ext_attr')) {
      throw unstorable(entry.path, 'it has extended attributes', 'use the ext4 feature ext_attr')
    }
    const block = placeXattrs(entry.path, inode, xattrs, inventory.xattrBlocks)
    if (block === undefined) return
    inventory.xattrUsers.push(number)
    inventory.xattrUsers.push(block)
  }

  #addLostAndFound(): void {
    const inode = this.inventory.inodes.at(FIRST_INODE)
    const { time } = this.#settings
    clearExtentTree(inode)
    encodeInode(inode, {
      type: 'directory',
      mode: 0o700,
      uid: 0,
      gid: 0,
      size: 0,
      links: 2,
      flags: InodeFlag.extents,
      mtime: time,
      atime: time,
      ...madeAt(this.#settings),
    })
    this.#open.push(new DirectoryFrame(LOST_AND_FOUND, FIRST_INODE, ROOT_INODE))
    this.#close()
  }
}

/** The tree says when a file's content changed; its inode was made with the file system. */
function madeAt({ time }: Settings): { ctime: Timestamp; crtime: Timestamp } {
  return { ctime: time, crtime: time }
}
