/** Where blocks come from: a raw file, a disk behind an NBD server, a partition's byte range of either. Never written to. */
export interface BlockSource {
  /** Bytes. */
  readonly size: number
  /**
   * Fills `target` from `offset`; several reads may be under way at once.
   * @throws C2M_DISK_BOUNDS when it would leave the source
   */
  read(offset: number, target: Uint8Array): Promise<void>
  /**
   * The parts of a range that may hold something else than zeros, in rising order, without overlaps: what lies between
   * them is a hole. A source that does not know gives the whole range.
   */
  data(offset: number, length: number): AsyncIterable<ByteRange>
}

export interface ByteRange {
  /** Bytes from the start of the source. */
  readonly offset: number
  /** Bytes. */
  readonly length: number
}
