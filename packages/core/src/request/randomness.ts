import { createHash, randomUUID } from 'node:crypto'
import { sourceDateEpoch } from '../time.js'

/** Pseudo-random bytes from a seed: SHA-256 in counter mode over seed and label. */
export type Randomness = (label: string, length: number) => Uint8Array

export function randomnessFrom(seed: string): Randomness {
  return (label, length) => {
    const bytes = new Uint8Array(length)
    for (let offset = 0, counter = 0; offset < length; offset += 32, counter++) {
      const block = createHash('sha256')
        .update(JSON.stringify([seed, label, counter]))
        .digest()
      bytes.set(block.subarray(0, Math.min(32, length - offset)), offset)
    }
    return bytes
  }
}

export interface Reproducibility {
  readonly random: Randomness
  /** Seconds since the epoch that new files and file systems get. */
  readonly epoch: number
  /** The same for the package layer, which machines from one image share: never the time of this run. */
  readonly packageEpoch: number
}

/**
 * SOURCE_DATE_EPOCH (reproducible-builds.org) fixes the time, --seed the rest; either alone implies the other: a seed
 * without a time takes the image's, a time without a seed takes one from the image's identity.
 * @param imageTime seconds since the epoch
 * @throws C2M_SOURCE_DATE_EPOCH (usage)
 */
export function reproducibility(options: {
  readonly seed?: string
  readonly env: NodeJS.ProcessEnv
  readonly imageDigest: string
  readonly imageTime: number
  readonly now: number
}): Reproducibility {
  const { seed, env, imageDigest, imageTime, now } = options
  const fixed = sourceDateEpoch(env)
  return {
    random: randomnessFrom(seed ?? (fixed === undefined ? randomUUID() : imageDigest)),
    epoch: fixed ?? (seed === undefined ? Math.floor(now / 1000) : imageTime),
    packageEpoch: fixed ?? imageTime,
  }
}
