import { decodeName } from '@c2m/rootfs'
import { decodeAcl } from '../acl.js'
import { crc32c } from '../crc32c.js'
import { damaged, wrongChecksum, type Place } from './faults.js'
import type { FileSystem } from './file-system.js'
import { externalEntryHash, crc32cOfBlock, type StoredInode } from './stored-inode.js'
import { readXattrValue } from './xattr-value.js'
import { blockXattrs, inodeXattrs, type XattrEntry } from './xattr-entries.js'

export type Xattrs = ReadonlyMap<string, Uint8Array>

interface Namespace {
  readonly prefix: string
  /** There is one attribute only, whose name is the prefix. */
  readonly whole?: boolean
  readonly acl?: boolean
}

/**
 * The table "name index" of the kernel documentation: filesystems/ext4, "Extended Attributes", and of e2fsprogs
 * (lib/ext2fs/ext_attr.c).
 */
const NAMESPACES: Readonly<Record<number, Namespace>> = {
  1: { prefix: 'user.' },
  2: { prefix: 'system.posix_acl_access', whole: true, acl: true },
  3: { prefix: 'system.posix_acl_default', whole: true, acl: true },
  4: { prefix: 'trusted.' },
  6: { prefix: 'security.' },
  7: { prefix: 'system.' },
  8: { prefix: 'system.richacl', whole: true },
  10: { prefix: 'gnu.' },
}

/** What belongs to the file system itself and no program sees: inline data, the keys of fscrypt, the place of fs-verity's tree. */
const HIDDEN_DATA = 'system.data'
const HIDDEN_INDEXES: ReadonlySet<number> = new Set([9, 11])

/** XATTR_SIZE_MAX of Linux; all values of one file together have a limit against shared value inodes. */
const MAX_VALUE = 64 * 1024
const MAX_VALUES = 16 * 1024 * 1024
/** Blocks whose attributes are kept decoded: many files share one. */
const MAX_KNOWN_BLOCKS = 256

const NONE: Xattrs = new Map()

/** Reads the extended attributes of inodes as programs see them. */
export class XattrReader {
  readonly #fileSystem: FileSystem
  readonly #known = new Map<number, Xattrs>()
  readonly #unknownIndexes = new Set<number>()

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem
  }

  /** @throws C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM */
  read(inode: StoredInode, place: Place): Xattrs | Promise<Xattrs> {
    const own = inodeXattrs(inode, place)
    if (own.every(({ valueInode }) => valueInode === 0) && inode.xattrBlock === 0) {
      return own.length === 0 ? NONE : this.#decodeAtHand(own, place)
    }
    return this.#readAll(own, inode, place)
  }

  async #readAll(own: readonly XattrEntry[], inode: StoredInode, place: Place): Promise<Xattrs> {
    const attributes = new Map(await this.#decode(own, inode, place))
    if (inode.xattrBlock !== 0) {
      for (const [name, value] of await this.#readBlock(inode, place)) add(attributes, name, value, place)
    }
    return attributes
  }

  async #readBlock(inode: StoredInode, place: Place): Promise<Xattrs> {
    const { volume, metadata } = this.#fileSystem
    const { xattrBlock } = inode
    const known = this.#known.get(xattrBlock)
    if (known !== undefined) return known
    if (xattrBlock <= volume.firstDataBlock || xattrBlock >= volume.blocks) {
      throw damaged(place, `its extended attributes are in block ${xattrBlock}, outside of the file system`)
    }
    const block = Buffer.from(await metadata.read(xattrBlock * volume.blockSize, volume.blockSize))
    if (volume.seed !== undefined) {
      const stored = block.readUInt32LE(16)
      block.writeUInt32LE(0, 16)
      if (crc32c(crc32cOfBlock(volume.seed, xattrBlock), block) !== stored) {
        throw wrongChecksum(place, 'the block of its extended attributes')
      }
    }
    const attributes = await this.#decode(blockXattrs(block, place), inode, place)
    const bytes = [...attributes.values()].reduce((sum, value) => sum + value.length, 0)
    if (bytes > volume.blockSize) return attributes
    if (this.#known.size >= MAX_KNOWN_BLOCKS) this.#known.clear()
    this.#known.set(xattrBlock, attributes)
    return attributes
  }

  async #decode(entries: readonly XattrEntry[], inode: StoredInode, place: Place): Promise<Xattrs> {
    if (entries.every(({ valueInode }) => valueInode === 0)) return this.#decodeAtHand(entries, place)
    const total = entries.reduce((sum, { size }) => sum + size, 0)
    if (total > MAX_VALUES) throw damaged(place, `its extended attributes are of ${total} bytes`)
    const attributes = new Map<string, Uint8Array>()
    for (const entry of entries) {
      const value = entry.value ?? (await this.#readValue(entry, inode, place))
      this.#addEntry(attributes, entry, value, place)
    }
    return attributes
  }

  async #readValue(entry: XattrEntry, inode: StoredInode, place: Place): Promise<Buffer> {
    if (!this.#fileSystem.volume.features.has('ea_inode') || entry.size > MAX_VALUE) {
      throw damaged(place, `it has an extended attribute of ${entry.size} bytes in inode ${entry.valueInode}`)
    }
    const { value, hash } = await readXattrValue(entry.valueInode, entry.size, inode, place, this.#fileSystem)
    const matches = (signed: boolean): boolean => externalEntryHash(entry.name, hash!, signed) === entry.hash
    if (hash !== undefined && !matches(false) && !matches(true)) {
      throw wrongChecksum(place, `the extended attribute in inode ${entry.valueInode}`)
    }
    return value
  }

  #decodeAtHand(entries: readonly XattrEntry[], place: Place): Xattrs {
    const attributes = new Map<string, Uint8Array>()
    for (const entry of entries) this.#addEntry(attributes, entry, entry.value!, place)
    return attributes
  }

  #addEntry(attributes: Map<string, Uint8Array>, { index, name }: XattrEntry, value: Buffer, place: Place): void {
    if (HIDDEN_INDEXES.has(index)) return
    const space = NAMESPACES[index]
    if (space === undefined) {
      this.#noticeUnknown(index, place)
      return
    }
    if ((name.length === 0) !== (space.whole === true) || name.includes(0)) {
      throw damaged(place, 'an extended attribute has an impossible name')
    }
    const fullName = space.prefix + decodeName(name)
    if (fullName === HIDDEN_DATA) return
    if (space.acl !== true) {
      // a copy: the cache's memory is not to be kept
      add(attributes, fullName, new Uint8Array(value), place)
      return
    }
    const list = decodeAcl(value)
    if (list === undefined) throw damaged(place, `its ${fullName} is not an access control list`)
    add(attributes, fullName, new Uint8Array(list), place)
  }

  #noticeUnknown(index: number, place: Place): void {
    if (this.#unknownIndexes.has(index)) return
    this.#unknownIndexes.add(index)
    this.#fileSystem.notice(
      `extended attributes of the unknown namespace ${index} are left out, e.g. of ${JSON.stringify(`/${place.path ?? ''}`)}`,
    )
  }
}

function add(attributes: Map<string, Uint8Array>, name: string, value: Uint8Array, place: Place): void {
  if (attributes.has(name)) throw damaged(place, `it has the extended attribute ${JSON.stringify(name)} twice`)
  attributes.set(name, value)
}
