import type { Timestamp } from '@c2m/plugin-api'

const BILLION = 1_000_000_000

/**
 * A PAX time (POSIX.1-2017, pax, "pax Extended Header File Times"): a decimal number of seconds, perhaps negative, perhaps
 * with a fraction. Nanoseconds count up from the whole second below, so '-1.5' is -2 s and 500 000 000 ns. Undefined when
 * it is no such number.
 */
export function parsePaxTime(text: string): Timestamp | undefined {
  const match = /^([+-]?)(\d{1,17})(?:[.,](\d*))?$/.exec(text)
  if (match === null) return undefined
  const digits = match[3] ?? ''
  const whole = Number(match[2])
  const fraction = Number(digits.slice(0, 9).padEnd(9, '0'))
  if (!Number.isSafeInteger(whole + 1)) return undefined
  if (match[1] !== '-') return { seconds: whole, nanoseconds: fraction }
  // finer digits are cut off downwards, towards the past
  const upwards = fraction + (/[1-9]/.test(digits.slice(9)) ? 1 : 0)
  if (upwards === 0) return { seconds: whole === 0 ? 0 : -whole, nanoseconds: 0 }
  if (upwards === BILLION) return { seconds: -whole - 1, nanoseconds: 0 }
  return { seconds: -whole - 1, nanoseconds: BILLION - upwards }
}

export function formatPaxTime(time: Timestamp): string {
  if (time.nanoseconds === 0) return String(time.seconds)
  if (time.seconds >= 0) return `${time.seconds}.${fractionDigits(time.nanoseconds)}`
  // -2 s + 0.5 s is written -1.5; -1 s + 0.5 s is -0.5
  return `-${-(time.seconds + 1)}.${fractionDigits(BILLION - time.nanoseconds)}`
}

function fractionDigits(nanoseconds: number): string {
  return String(nanoseconds)
    .padStart(9, '0')
    .replace(/(?<!0)0+$/, '')
}
