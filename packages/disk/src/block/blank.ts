import type { BlockSource } from './source.js'

/** Bytes at either end of a disk: the places of partition tables and of what file systems are recognized by. */
const END = 1024 * 1024

/**
 * Whether a disk or a partition begins and ends with zeros, so that nothing on it can be found. What lies between is not
 * looked at: that would take as long as the disk is large.
 */
export async function isBlank(source: BlockSource): Promise<boolean> {
  const length = Math.min(END, source.size)
  for (const offset of [0, source.size - length]) {
    const bytes = new Uint8Array(length)
    await source.read(offset, bytes)
    if (bytes.some((byte) => byte !== 0)) return false
  }
  return true
}
