import type { Timestamp } from '@c2m/plugin-api'

/**
 * Kernel documentation: filesystems/ext4, "Inode Timestamps". 34 bits of seconds and 30 bits of nanoseconds:
 *
 *     i_mtime        signed 32-bit seconds
 *     i_mtime_extra  | 31 … nanoseconds … 2 | 1 epoch 0 |     seconds = i_mtime + epoch * 2^32
 */
export interface EncodedTime {
  /** Unsigned 32-bit word of the signed seconds. */
  readonly seconds: number
  readonly extra: number
}

const EPOCH = 2 ** 32
/** 1901-12-13. */
const MIN_SECONDS = -(2 ** 31)
/** 2446-05-10. */
const MAX_SECONDS = 3 * EPOCH + 2 ** 31 - 1
const NANOSECONDS = 1_000_000_000

/** False for times outside 1901 to 2446 and for what is not a time at all. */
export function isStorableTime({ seconds, nanoseconds }: Timestamp): boolean {
  const validNanoseconds = Number.isInteger(nanoseconds) && nanoseconds >= 0 && nanoseconds < NANOSECONDS
  return validNanoseconds && Number.isInteger(seconds) && seconds >= MIN_SECONDS && seconds <= MAX_SECONDS
}

/** The nearest time that ext4 holds; what is not a number becomes the start of 1970. */
export function clampTime(time: Timestamp): Timestamp {
  if (isStorableTime(time)) return time
  const seconds = Number.isNaN(time.seconds)
    ? 0
    : Math.floor(Math.min(Math.max(time.seconds, MIN_SECONDS), MAX_SECONDS))
  const inside = seconds > MIN_SECONDS && seconds < MAX_SECONDS
  const nanoseconds = inside && Number.isFinite(time.nanoseconds) ? Math.floor(time.nanoseconds) : 0
  return { seconds, nanoseconds: Math.min(Math.max(nanoseconds, 0), NANOSECONDS - 1) }
}

/** @param time must be storable */
export function encodeTime({ seconds, nanoseconds }: Timestamp): EncodedTime {
  const signed = seconds | 0
  const epoch = (seconds - signed) / EPOCH
  return { seconds: signed >>> 0, extra: ((nanoseconds << 2) | epoch) >>> 0 }
}

export function decodeTime({ seconds, extra }: EncodedTime): Timestamp {
  return { seconds: (seconds | 0) + (extra & 3) * EPOCH, nanoseconds: extra >>> 2 }
}
