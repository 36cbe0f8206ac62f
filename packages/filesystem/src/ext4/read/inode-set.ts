/** Inodes of one piece: a kibibyte of bits. */
const PIECE = 8192

/** A set of inode numbers that takes memory only near those that are in it, which in a file system lie together. */
export class InodeSet {
  readonly #pieces = new Map<number, Uint8Array>()

  /** False when it was there. */
  add(inode: number): boolean {
    const number = Math.floor(inode / PIECE)
    let piece = this.#pieces.get(number)
    if (piece === undefined) {
      piece = new Uint8Array(PIECE / 8)
      this.#pieces.set(number, piece)
    }
    const at = (inode % PIECE) >>> 3
    const bit = 1 << (inode & 7)
    if ((piece[at]! & bit) !== 0) return false
    piece[at]! |= bit
    return true
  }
}
