import { isC2mError } from '@c2m/process'
import { openExt4 } from '../open.js'
import { readEverything } from './images.js'
import { memorySource } from './sources.js'

export interface AttackResult {
  /** How often each code was thrown; 'none': all was read. */
  readonly outcomes: Map<string, number>
  /** Milliseconds of the slowest attempt. */
  readonly slowest: number
}

/** Numbers that break careless readers. */
const ODD = [0, 1, 2, 3, 7, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x8001, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]

/**
 * Reads an image many times, each time with some of its bytes changed: random ones, odd numbers, words from elsewhere.
 * @throws what is thrown that is no C2mError, with the changes
 */
export async function attack(image: Buffer, runs: number, seed: number): Promise<AttackResult> {
  const random = generator(seed)
  const blocks = usedBlocks(image)
  const outcomes = new Map<string, number>()
  let slowest = 0
  for (let run = 0; run < runs; run++) {
    const changes = Array.from({ length: 1 + random(4) }, () => change(image, blocks, random))
    const start = performance.now()
    let outcome = 'none'
    try {
      await readEverything(memorySource(image), openExt4)
    } catch (error) {
      if (!isC2mError(error)) {
        const where = changes.map(({ at, before }) => `${at}: ${before.toString('hex')}`).join(', ')
        throw new Error(`seed ${seed}, run ${run}, changed ${where}`, { cause: error })
      }
      outcome = error.code
    }
    slowest = Math.max(slowest, performance.now() - start)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    for (const { at, before } of changes.reverse()) before.copy(image, at)
  }
  return { outcomes, slowest }
}

interface Change {
  readonly at: number
  readonly before: Buffer
}

function change(image: Buffer, blocks: readonly number[], random: (below: number) => number): Change {
  const place = (): number => blocks[random(blocks.length)]! + 4 * random(256)
  const at = place()
  const before = Buffer.from(image.subarray(at, at + 4))
  const kind = random(6)
  if (kind === 0) image[at + random(4)] = random(256)
  else if (kind === 1) image[at + random(4)]! ^= 1 << random(8)
  else if (kind === 2) image.writeUInt32LE(ODD[random(ODD.length)]!, at)
  else if (kind === 3) image.writeUInt16LE(ODD[random(ODD.length)]! & 0xffff, at + 2 * random(2))
  else if (kind === 4) image.writeUInt32LE(image.readUInt32LE(place()), at)
  else image.writeUInt32LE(random(image.length / 1024), at)
  return { at, before }
}

/** Kibibytes that are not empty; the fewer of them are content, the better. */
function usedBlocks(image: Buffer): number[] {
  const zeros = Buffer.alloc(1024)
  const used: number[] = []
  for (let at = 0; at < image.length; at += 1024) if (!image.subarray(at, at + 1024).equals(zeros)) used.push(at)
  return used
}

/** mulberry32 */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
