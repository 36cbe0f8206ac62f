/** Where blocks go: a disk, or a partition's byte range of one. What is never written reads as zeros. */
export interface BlockTarget {
  /** Bytes. */
  readonly size: number
  /** Writes all of `data` at `offset`; the memory is the caller's again when the promise resolves. @throws when it would leave the target. */
  write(offset: number, data: Uint8Array): Promise<void>
}
