import { C2mError } from '@c2m/process'

/** @throws C2M_DISK_BOUNDS unless [offset, offset + length) lies within [0, size) */
export function checkBounds(size: number, offset: number, length: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length)
  if (whole && offset >= 0 && length >= 0 && offset + length <= size) return
  throw new C2mError('C2M_DISK_BOUNDS', `${length} bytes at offset ${offset} do not lie within ${size} bytes`, {
    hint: 'make the disk or the partition larger',
  })
}
