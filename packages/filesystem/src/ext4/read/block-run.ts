import { damaged, type Place } from './faults.js'
import type { MetadataReader } from './metadata-reader.js'
import type { Volume } from './volume.js'

/** Neighbouring blocks of a file that are neighbours in the file system too. What no run covers reads as zeros. */
export interface BlockRun {
  /** First block within the file. */
  readonly logical: number
  /** First block within the file system. */
  readonly block: number
  /** Blocks. */
  readonly count: number
}

export interface MapContext {
  readonly volume: Volume
  readonly metadata: MetadataReader
}

/**
 * Counts the blocks of many files: no block belongs to two, so together they have no more than the file system. This
 * keeps a small disk from growing without end when its files share blocks.
 */
export class BlockLedger {
  #left: number

  constructor({ blocks, features }: Volume) {
    // Android's read-only images share blocks on purpose
    this.#left = features.has('shared_blocks') ? Infinity : blocks
  }

  /** @throws C2M_EXT4_DAMAGED */
  use(count: number, place: Place): void {
    this.#left -= count
    if (this.#left < 0) throw damaged(place, 'it uses blocks of other files')
  }
}

/** Checks each run, and counts: a map that uses a block twice or turns in circles soon exceeds the file system. */
export class RunGuard {
  readonly place: Place
  readonly #volume: Volume
  readonly #ledger: BlockLedger | undefined
  #blocks = 0

  constructor(place: Place, volume: Volume, ledger: BlockLedger | undefined) {
    this.place = place
    this.#volume = volume
    this.#ledger = ledger
  }

  /** @throws C2M_EXT4_DAMAGED unless all `count` blocks from `block` on can be this file's */
  check(block: number, count: number): void {
    const { firstDataBlock, blocks } = this.#volume
    if (block <= firstDataBlock || block + count > blocks) {
      const last = count > 1 ? ` to ${block + count - 1}` : ''
      throw this.fault(`it uses block ${block}${last}, outside of the file system`)
    }
    this.#blocks += count
    if (this.#blocks > blocks) throw this.fault('it uses more blocks than the file system has')
    this.#ledger?.use(count, this.place)
  }

  fault(why: string): Error {
    return damaged(this.place, why)
  }
}
