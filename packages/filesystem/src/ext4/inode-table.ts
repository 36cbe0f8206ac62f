import { FIRST_INODE, INODE_SIZE } from './constants.js'

const CHUNK_INODES = 4096

/** Inodes as they will stand on disk, numbered from 1, in chunks of 1 MiB. */
export class InodeTable {
  readonly #chunks: Buffer[] = []
  #last = FIRST_INODE

  /** The highest number in use; what is below counts as used. */
  get last(): number {
    return this.#last
  }

  /** The next free number. */
  allocate(): number {
    return ++this.#last
  }

  /** The 256 bytes of an inode; zeros at first. */
  at(number: number): Buffer {
    const index = number - 1
    const start = (index % CHUNK_INODES) * INODE_SIZE
    return this.#chunk(Math.floor(index / CHUNK_INODES)).subarray(start, start + INODE_SIZE)
  }

  /** The bytes of inodes [first, end), in as few pieces as there are; whole blocks, when both are multiples of 16 plus 1. */
  *pieces(first: number, end: number): Generator<Buffer> {
    for (let index = first - 1; index < end - 1;) {
      const chunk = Math.floor(index / CHUNK_INODES)
      const stop = Math.min(end - 1, (chunk + 1) * CHUNK_INODES)
      const from = (index - chunk * CHUNK_INODES) * INODE_SIZE
      yield this.#chunk(chunk).subarray(from, from + (stop - index) * INODE_SIZE)
      index = stop
    }
  }

  #chunk(index: number): Buffer {
    while (this.#chunks.length <= index) this.#chunks.push(Buffer.alloc(CHUNK_INODES * INODE_SIZE))
    return this.#chunks[index]!
  }
}
