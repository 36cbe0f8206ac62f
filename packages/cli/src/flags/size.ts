import { usageError } from '@c2m/process'

const UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/** '10G', '1.5G', '512M', '4096' (bytes); powers of 1024. @throws C2M_SIZE */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text)
  const bytes = match === null ? NaN : Number(match[1]) * (UNITS[match[2]?.toUpperCase() ?? ''] ?? NaN)
  if (Number.isFinite(bytes) && bytes <= 2 ** 50) return Math.ceil(bytes)
  throw usageError('C2M_SIZE', `'${text}' is no size`, 'write it as 10G, 512M or a number of bytes')
}
