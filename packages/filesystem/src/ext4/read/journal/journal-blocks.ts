import type { BlockRun } from '../block-run.js'
import { damagedJournal } from '../faults.js'
import type { MetadataReader } from '../metadata-reader.js'

/** The blocks of the journal's inode by their number within it. */
export class JournalBlocks {
  readonly #runs: readonly BlockRun[]
  readonly #blockSize: number
  readonly #metadata: MetadataReader

  /** @param runs in rising order */
  constructor(runs: readonly BlockRun[], blockSize: number, metadata: MetadataReader) {
    this.#runs = runs
    this.#blockSize = blockSize
    this.#metadata = metadata
    let expected = 0
    for (const { logical, count } of runs) {
      if (logical !== expected) throw damagedJournal('it has holes')
      expected += count
    }
  }

  /** Blocks. */
  get length(): number {
    const last = this.#runs.at(-1)
    return last === undefined ? 0 : last.logical + last.count
  }

  /** Where in the file system a block of the journal stands. @throws C2M_EXT4_JOURNAL */
  locate(index: number): number {
    let low = 0
    let high = this.#runs.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (this.#runs[middle]!.logical <= index) low = middle
      else high = middle
    }
    const run = this.#runs[low]
    if (run === undefined || index >= run.logical + run.count) throw damagedJournal(`it has no block ${index}`)
    return run.block + index - run.logical
  }

  /** A view that must not be changed. */
  async read(index: number): Promise<Buffer> {
    return this.#metadata.read(this.locate(index) * this.#blockSize, this.#blockSize)
  }
}
