import type { Body } from '@c2m/plugin-api'
import type { BlockAllocator } from './block-allocator.js'
import type { BlockWriter } from './block-writer.js'
import { inodeSeed } from './checksum.js'
import { BLOCK_SIZE } from './constants.js'
import { treeError, unstorable } from './errors.js'
import { ExtentList, writeExtentTree } from './extent-tree.js'
import { addBlocks, getSectors } from './inode.js'

const ZEROS = Buffer.alloc(BLOCK_SIZE)
/** i_blocks without huge_file: 32 bits of 512-byte sectors. */
const MAX_SECTORS = 2 ** 32 - 1

export interface FileWriterOptions {
  readonly allocator: BlockAllocator
  readonly writer: BlockWriter
  /** Of the file system, for extent checksums; undefined without metadata_csum. */
  readonly seed: number | undefined
  readonly hugeFiles: boolean
}

/** Gives files their blocks, one file at a time. */
export class FileWriter {
  readonly #options: FileWriterOptions
  readonly #extents = new ExtentList()
  /** Bytes of the file that have their place, rounded up to where the last run began or went on. */
  #end = 0
  /** Where the file's next byte goes, and how many may follow before new blocks are needed; bytes. */
  #position = 0
  #room = 0

  constructor(options: FileWriterOptions) {
    this.#options = options
  }

  /** The extents of the file that was written last. */
  get extents(): ExtentList {
    return this.#extents
  }

  begin(): void {
    this.#extents.clear()
    this.#end = 0
    this.#room = 0
  }

  /** Continues the file; a multiple of the block size leaves no gap. */
  async append(data: Uint8Array): Promise<void> {
    const { allocator, writer } = this.#options
    for (let from = 0; from < data.length;) {
      if (this.#room === 0) {
        const { block, count } = allocator.take(Math.ceil((data.length - from) / BLOCK_SIZE))
        this.#extents.add(this.#end / BLOCK_SIZE, block, count)
        this.#position = block * BLOCK_SIZE
        this.#room = count * BLOCK_SIZE
      }
      const count = Math.min(this.#room, data.length - from)
      await writer.put(this.#position, count === data.length ? data : data.subarray(from, from + count))
      this.#position += count
      this.#room -= count
      this.#end += count
      from += count
    }
  }

  /** Writes the body of a regular file of `size` bytes. @throws C2M_EXT4_TREE for a body that breaks its contract */
  async writeBody(path: string, size: number, body: Body): Promise<void> {
    this.begin()
    for await (const { offset, data } of body) {
      if (data.length === 0) continue
      const valid = Number.isSafeInteger(offset) && offset >= this.#end && offset + data.length <= size
      if (!valid)
        throw treeError(path, `has content at byte ${offset} that overlaps, or lies behind its size of ${size}`)
      if (offset > this.#end) await this.#skipTo(offset)
      await this.append(data)
    }
    await this.#fillBlock()
  }

  /** Ends the file: fills the last block and puts the extent tree into the inode. */
  async finish(path: string, number: number, inode: Buffer): Promise<void> {
    await this.#fillBlock()
    const { allocator, writer, seed, hugeFiles } = this.#options
    const ownSeed = seed === undefined ? undefined : inodeSeed(seed, number, 0)
    const nodes = await writeExtentTree(inode, this.#extents, ownSeed, allocator, writer)
    addBlocks(inode, this.#extents.blocks + nodes)
    if (!hugeFiles && getSectors(inode) > MAX_SECTORS) {
      throw unstorable(path, 'it takes more than 2 TiB', 'use the ext4 feature huge_file')
    }
  }

  /** Leaves out whole blocks up to `offset` and writes zeros for the rest. */
  async #skipTo(offset: number): Promise<void> {
    const blockEnd = this.#end + this.#room
    if (offset >= blockEnd) {
      await this.#fillBlock()
      this.#end = Math.floor(offset / BLOCK_SIZE) * BLOCK_SIZE
    }
    await this.append(ZEROS.subarray(0, offset - this.#end))
  }

  async #fillBlock(): Promise<void> {
    if (this.#room > 0) await this.append(ZEROS.subarray(0, this.#room))
  }
}
