import type { Readable } from 'node:stream'

/** Bytes of a line that are kept. */
export const LINE_LIMIT = 64 * 1024
/** Ends a line that was longer. */
export const CUT_MARK = ' … [cut]'

const LF = 0x0a
const CR = 0x0d

/**
 * Cuts a stream of UTF-8 into lines, which end with LF, CRLF or, as progress is shown, CR alone. A line keeps its first 64
 * KiB, whatever its length, so that no other program decides how much memory this one takes.
 */
export class LineSplitter {
  #parts: Buffer[] = []
  #length = 0
  #cut = false
  #afterCr = false

  /** What came after the last end of a line. */
  end(): string | undefined {
    return this.#length === 0 ? undefined : this.#take()
  }

  /** The lines that end in this piece. */
  *push(chunk: Uint8Array | string): Generator<string, void, void> {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    let from = this.#afterCr && bytes[0] === LF ? 1 : 0
    if (bytes.length > 0) this.#afterCr = false
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte !== LF && byte !== CR) continue
      this.#keep(bytes.subarray(from, at))
      yield this.#take()
      if (byte === CR && bytes[at + 1] === LF) at++
      else if (byte === CR && at + 1 === bytes.length) this.#afterCr = true
      from = at + 1
    }
    this.#keep(bytes.subarray(from))
  }

  #keep(bytes: Uint8Array): void {
    const room = LINE_LIMIT - this.#length
    if (bytes.length > room) this.#cut = true
    const kept = bytes.subarray(0, room)
    if (kept.length === 0) return
    // copied: a small view would keep the whole piece that it lies in
    this.#parts.push(Buffer.from(kept))
    this.#length += kept.length
  }

  #take(): string {
    const bytes = Buffer.concat(this.#parts, this.#length)
    const line = this.#cut ? bytes.toString('utf8', 0, characterEnd(bytes)) + CUT_MARK : bytes.toString('utf8')
    this.#parts = []
    this.#length = 0
    this.#cut = false
    return line
  }
}

/** Where the last whole character ends (RFC 3629, section 3). */
function characterEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

/** The lines of a stream, as fast as they are taken. @throws what the stream is destroyed with */
export async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<string, void, void> {
  const splitter = new LineSplitter()
  for await (const chunk of stream) yield* splitter.push(chunk as Uint8Array | string)
  const rest = splitter.end()
  if (rest !== undefined) yield rest
}

/** Takes a stream line by line; undefined when it has ended. */
export function lineReader(stream: AsyncIterable<unknown>): { nextLine(): Promise<string | undefined> } {
  const lines = linesOf(stream)
  return {
    async nextLine() {
      const next = await lines.next()
      return next.done === true ? undefined : next.value
    },
  }
}

/**
 * Calls back with each line as it comes, the last one before the stream's 'close'. A stream that breaks has ended: why is
 * for its program's exit to tell.
 * @returns when no more will come; rejects with what the callback throws, after which it is not called again
 */
export function onLine(stream: Readable, take: (line: string) => void): Promise<void> {
  const splitter = new LineSplitter()
  return new Promise((resolve, reject) => {
    let failed = false
    const attempt = (lines: Iterable<string>) => {
      if (failed) return
      try {
        for (const line of lines) take(line)
      } catch (error) {
        failed = true
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
    const finish = () => {
      const rest = splitter.end()
      if (rest !== undefined) attempt([rest])
      resolve()
    }
    stream.on('data', (chunk: Uint8Array | string) => attempt(splitter.push(chunk)))
    stream.on('error', () => undefined)
    stream.once('end', finish)
    stream.once('close', finish)
  })
}
