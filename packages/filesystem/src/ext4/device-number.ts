import type { DeviceNumber } from '@c2m/plugin-api'

/**
 * Device numbers in the first two words of i_block (kernel: include/linux/kdev_t.h).
 *
 *     old, i_block[0]:  | 0 | major 8 | minor 8 |                   both below 256
 *     new, i_block[1]:  | minor, high 12 | major 12 | minor, low 8 |
 */
const MAX_MAJOR = 0xfff
const MAX_MINOR = 0xfffff

export function isStorableDevice({ major, minor }: DeviceNumber): boolean {
  const valid = (value: number, max: number): boolean => Number.isInteger(value) && value >= 0 && value <= max
  return valid(major, MAX_MAJOR) && valid(minor, MAX_MINOR)
}

/** The words i_block[0] and i_block[1]. @param device must be storable */
export function encodeDevice({ major, minor }: DeviceNumber): readonly [number, number] {
  if (major < 256 && minor < 256) return [(major << 8) | minor, 0]
  return [0, ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0]
}

export function decodeDevice([old, young]: readonly [number, number]): DeviceNumber {
  if (old !== 0) return { major: (old >>> 8) & 0xff, minor: old & 0xff }
  return { major: (young >>> 8) & MAX_MAJOR, minor: (young & 0xff) | ((young >>> 12) & ~0xff) }
}
