import { tarFault } from './fault.js'
import { BLOCK } from './header.js'
import type { SparseRun } from './member.js'
import { parseNumber } from './number.js'

/** More runs than a file of real life has; each costs memory. */
const MAX_RUNS = 1 << 20

/**
 * Old GNU sparse header (GNU tar manual, "Old GNU Format"), type 'S': four runs in the header block, more in blocks that
 * follow it, each run an offset and a length of 12 bytes.
 *
 *       386                  482       483        495              0                 504
 *      ┌────────────────────┬─────────┬──────────┬─              ┌──────────────────┬─────────┬─
 *      │ 4 runs             │ is more?│ real size│               │ 21 runs          │ is more?│
 *      └────────────────────┴─────────┴──────────┴─              └──────────────────┴─────────┴─
 */
const RUN_SIZE = 24
const IN_HEADER = { at: 386, runs: 4, more: 482 }
const IN_EXTENSION = { at: 0, runs: 21, more: 504 }
const REAL_SIZE = [483, 495] as const

/** The runs of one block, as offset and length by turns, and whether another block follows. */
export function parseOldGnuRuns(
  block: Uint8Array,
  where: 'header' | 'extension',
  offset: number,
): { numbers: number[]; more: boolean } {
  const place = where === 'header' ? IN_HEADER : IN_EXTENSION
  const numbers: number[] = []
  for (let run = 0; run < place.runs; run++) {
    const at = place.at + run * RUN_SIZE
    if (block[at] === 0) break // an unused slot
    numbers.push(mapNumber(block.subarray(at, at + 12), offset), mapNumber(block.subarray(at + 12, at + 24), offset))
  }
  return { numbers, more: block[place.more] !== 0 }
}

export function parseOldGnuRealSize(block: Uint8Array, offset: number): number {
  return mapNumber(block.subarray(...REAL_SIZE), offset)
}

function mapNumber(field: Uint8Array, offset: number): number {
  const value = parseNumber(field)
  if (value === undefined) throw badMap('is no list of numbers', offset)
  return value
}

/** 'offset,length,offset,length…' as in PAX sparse format 0.1. */
export function parseMapText(text: string, offset: number): number[] {
  return text === '' ? [] : text.split(',').map((part) => parseDecimal(part, offset))
}

export function parseDecimal(text: string, offset: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw badMap('is no list of numbers', offset)
  return value
}

/**
 * PAX sparse format 1.0 (GNU tar manual, "PAX Format, Version 1.0"): the body begins with the number of runs, then offset
 * and length of each, all decimal and each ended by a newline, filled up to a block.
 */
export class MapReader {
  readonly numbers: number[] = []
  #text = ''
  #expected: number | undefined
  readonly #offset: number

  constructor(offset: number) {
    this.#offset = offset
  }

  /** Takes one block; true when the map is complete. */
  take(block: Uint8Array): boolean {
    const lines = (this.#text + Buffer.from(block).toString('latin1')).split('\n')
    this.#text = lines.pop() ?? ''
    for (const line of lines) {
      if (this.#expected !== undefined && this.numbers.length === this.#expected) break
      const value = parseDecimal(line, this.#offset)
      if (this.#expected === undefined) this.#expected = checkCount(value, this.#offset) * 2
      else this.numbers.push(value)
    }
    if (this.#text.length > BLOCK && this.numbers.length !== this.#expected)
      throw badMap('is no list of numbers', this.#offset)
    return this.numbers.length === this.#expected
  }
}

/** An empty run at the end of the file, as GNU tar writes it: without it GNU tar would cut a last hole off. */
export function encodeMap(runs: readonly SparseRun[], size: number): Uint8Array {
  const last = runs.at(-1)
  const hasLastHole = last === undefined || last.offset + last.length < size
  const numbers = [...runs, ...(hasLastHole ? [{ offset: size, length: 0 }] : [])].flatMap((run) => [
    run.offset,
    run.length,
  ])
  const text = [numbers.length / 2, ...numbers].map((value) => `${value}\n`).join('')
  const bytes = Buffer.alloc(Math.ceil(text.length / BLOCK) * BLOCK)
  bytes.write(text, 'latin1')
  return bytes
}

export function checkCount(runs: number, offset: number): number {
  if (runs > MAX_RUNS) throw badMap(`has ${runs} runs, more than ${MAX_RUNS}`, offset)
  return runs
}

/**
 * Runs from a list of offset and length by turns.
 * @throws C2M_TAR_SPARSE when they overlap, fall, leave the file, or hold more bytes than are stored
 */
export function sparseRuns(numbers: readonly number[], size: number, storedSize: number, offset: number): SparseRun[] {
  if (numbers.length % 2 !== 0) throw badMap('lacks the length of its last run', offset)
  checkCount(numbers.length / 2, offset)
  const runs: SparseRun[] = []
  let end = 0
  let stored = 0
  for (let at = 0; at < numbers.length; at += 2) {
    const run = { offset: numbers[at]!, length: numbers[at + 1]! }
    if (run.offset < end || run.length < 0 || run.offset + run.length > size) {
      throw badMap(`has a run of ${run.length} bytes at ${run.offset} in a file of ${size}`, offset)
    }
    end = run.offset + run.length
    stored += run.length
    if (run.length > 0) runs.push(run)
  }
  if (stored !== storedSize) throw badMap(`describes ${stored} bytes where ${storedSize} are stored`, offset)
  return runs
}

function badMap(what: string, offset: number): Error {
  return tarFault('C2M_TAR_SPARSE', `has a file with holes whose map ${what},`, offset)
}
