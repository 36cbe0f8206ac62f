import { C2mError } from '@c2m/process'

export const DEFAULT_MAX_UNPACKED = 64 * 1024 ** 3

/** Real layers stay far below; gzip cannot exceed about 1030, zstd can by far. */
const MAX_RATIO = 1000
/** Below this size no ratio is suspicious. */
const RATIO_FROM = 1024 ** 3

/** Counts what all layers of one image unpack to. */
export interface UnpackBudget {
  /** @throws C2M_IMAGE_TOO_LARGE */
  spend(bytes: number): void
}

export function createBudget(maximum: number, origin: string): UnpackBudget {
  let spent = 0
  return {
    spend: (bytes) => {
      spent += bytes
      if (spent > maximum) throw tooLarge(`the layers of ${origin} unpack to more than ${maximum} bytes`)
    },
  }
}

/** @throws C2M_IMAGE_TOO_LARGE when so little data unpacks to so much that it is made to fill disks */
export function checkRatio(packed: number, unpacked: number, what: string): void {
  if (unpacked > RATIO_FROM && unpacked > packed * MAX_RATIO) {
    throw tooLarge(`${what} unpacks to more than ${MAX_RATIO} times its ${packed} compressed bytes`)
  }
}

function tooLarge(message: string): C2mError {
  return new C2mError('C2M_IMAGE_TOO_LARGE', message, {
    hint: 'it may be made to fill the disk; when you trust it, pass a higher limit, or unpack it yourself and use dir:',
  })
}
