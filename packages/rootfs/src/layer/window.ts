import type { FileHandle } from 'node:fs/promises'
import { C2mError, readFully } from '@c2m/process'

export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/** Large enough for few calls, small enough to be in a processor's cache still when it is used. */
const WINDOW = 512 * 1024
/** Reading over a gap this small costs less than another read. */
const SMALL_GAP = 128 * 1024

/**
 * Reads ranges of a file in rising order through two large buffers: while one window is used, the next is being read.
 */
export class WindowReader {
  readonly #file: FileHandle
  readonly #path: string
  readonly #windows: Iterator<ByteRange>
  readonly #buffers: Buffer[] = []
  readonly #bufferSize: number
  #turn = 0
  #ahead: Promise<Window | undefined> | undefined
  #current: Window = { offset: 0, data: Buffer.alloc(0) }

  /** @param ranges in rising order */
  constructor(file: FileHandle, path: string, ranges: readonly ByteRange[]) {
    this.#file = file
    this.#path = path
    const total = ranges.reduce((sum, range) => sum + range.length, 0)
    this.#bufferSize = Math.min(WINDOW, ranges.length === 1 ? total : WINDOW)
    this.#windows = windowsOf(ranges)
  }

  /**
   * The bytes at `offset`, at most `length`, as far as one window holds them, without copying. Offsets must not fall; what was
   * handed out is overwritten once a later window is asked for.
   * @throws C2M_LAYER_CHANGED when the file ends before
   */
  at(offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    const from = offset - this.#current.offset
    if (from < 0 || from >= this.#current.data.length) return this.#advance(offset, length)
    return this.#current.data.subarray(from, from + length)
  }

  /** Waits for the read that is under way, if any, so that the file may be closed. */
  async close(): Promise<void> {
    await this.#ahead?.catch(() => undefined)
  }

  async #advance(offset: number, length: number): Promise<Uint8Array> {
    for (;;) {
      const next = await (this.#ahead ?? this.#readNext())
      if (next === undefined) throw layerChanged(this.#path)
      this.#current = next
      this.#ahead = this.#readNext()
      this.#ahead.catch(() => undefined) // reported when it is this window's turn
      const from = offset - next.offset
      if (from >= 0 && from < next.data.length) return next.data.subarray(from, from + length)
    }
  }

  async #readNext(): Promise<Window | undefined> {
    const step = this.#windows.next()
    if (step.done === true) return undefined
    const { offset, length } = step.value
    const buffer = (this.#buffers[this.#turn] ??= Buffer.allocUnsafeSlow(this.#bufferSize))
    this.#turn = 1 - this.#turn
    const read = await readFully(this.#file, buffer.subarray(0, length), offset)
    return { offset, data: buffer.subarray(0, read) }
  }
}

interface Window {
  readonly offset: number
  readonly data: Buffer
}

/** Joins neighbours, then cuts into windows. */
function* windowsOf(ranges: readonly ByteRange[]): Generator<ByteRange> {
  for (let index = 0; index < ranges.length;) {
    const start = ranges[index]!.offset
    let end = start
    while (index < ranges.length && ranges[index]!.offset <= end + SMALL_GAP) {
      end = Math.max(end, ranges[index]!.offset + ranges[index]!.length)
      index++
    }
    for (let offset = start; offset < end; offset += WINDOW) {
      yield { offset, length: Math.min(WINDOW, end - offset) }
    }
  }
}

function layerChanged(path: string): C2mError {
  return new C2mError('C2M_LAYER_CHANGED', `the layer ${path} became shorter while it was read`, {
    hint: 'nothing else may write to it; run the command again',
  })
}
