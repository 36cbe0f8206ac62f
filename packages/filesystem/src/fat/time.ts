import type { Timestamp } from '@c2m/plugin-api'

export interface FatTime {
  /** Bits 15–9 year from 1980, 8–5 month, 4–0 day. */
  readonly date: number
  /** Bits 15–11 hour, 10–5 minute, 4–0 second / 2. */
  readonly time: number
  /** 0 to 199: what the two seconds leave out. */
  readonly hundredths: number
}

const FIRST = Date.UTC(1980, 0, 1) / 1000
const LAST = Date.UTC(2107, 11, 31, 23, 59, 59) / 1000

/** UTC; times that FAT cannot express become the first or last one that it can. */
export function encodeTime({ seconds, nanoseconds }: Timestamp): FatTime {
  const clamped = Math.min(Math.max(seconds, FIRST), LAST)
  const at = new Date(clamped * 1000)
  const fraction = clamped === seconds ? Math.floor(nanoseconds / 10_000_000) : 0
  return {
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    hundredths: (at.getUTCSeconds() % 2) * 100 + fraction,
  }
}
