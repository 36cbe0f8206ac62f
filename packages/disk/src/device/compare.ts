import { C2mError, throwIfAborted } from '@c2m/process'
import type { ByteRange } from '../block/source.js'

/** Fills `target` from `offset`. */
export type ReadInto = (offset: number, target: Uint8Array) => Promise<void>

const CHUNK = 4 * 1024 * 1024

/** Ranges in pieces that fit into memory. */
export function* pieces(ranges: readonly ByteRange[], size = CHUNK): Generator<ByteRange> {
  for (const { offset, length } of ranges) {
    for (let at = offset; at < offset + length; at += size) {
      yield { offset: at, length: Math.min(size, offset + length - at) }
    }
  }
}

/**
 * Reads back what was written.
 * @param shown the device, for the error
 * @throws C2M_DEVICE_MISMATCH with the first byte that differs, C2M_INTERRUPTED
 */
export async function compareRanges(
  ranges: readonly ByteRange[],
  written: ReadInto,
  found: ReadInto,
  shown: string,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (bytes: number) => void } = {},
): Promise<void> {
  const [expected, actual] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)]
  for (const { offset, length } of pieces(ranges)) {
    throwIfAborted(options.signal)
    const [a, b] = [expected.subarray(0, length), actual.subarray(0, length)]
    await Promise.all([written(offset, a), found(offset, b)])
    if (!a.equals(b)) {
      const at = offset + a.findIndex((byte, index) => byte !== b[index])
      throw new C2mError('C2M_DEVICE_MISMATCH', `${shown} gives back other bytes than were written, from ${at} on`, {
        hint: 'its medium is faulty or smaller than it says; use another one',
      })
    }
    options.onProgress?.(length)
  }
}
