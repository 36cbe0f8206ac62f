import type { Body } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { nameLength } from '../name/bytes.js'
import { ChunkBuilder } from './chunk-builder.js'
import { BLOCK, encodeHeader, padding } from './header.js'
import type { SparseRun, TarInput } from './member.js'
import { encodePaxRecords } from './pax.js'
import { describeMember, paxHeaderName } from './description.js'
import { encodeMap, sparseRuns } from './sparse.js'

/** What holes may become in zeros, all together: as much as the layers of an image may unpack to. */
const MOST_ZEROS = 64 * 1024 ** 3

export interface TarWriteOptions {
  /** A chunk's memory is used again when four more have been asked for. Without it, chunks are the caller's to keep. */
  readonly reuseMemory?: boolean
}

/**
 * Writes an archive: ustar headers, preceded by PAX headers where ustar cannot say it. The bytes depend on the members
 * alone. Holes become zeros, except in members that come with a sparse map.
 * @throws C2M_BODY_SIZE when a body has more bytes than its member's size, or bytes outside its sparse map; C2M_TAR_HOLES when
 *   holes would become more zeros than anybody wants
 */
export async function* writeTar(
  members: AsyncIterable<TarInput> | Iterable<TarInput>,
  options: TarWriteOptions = {},
): AsyncGenerator<Uint8Array> {
  const chunks = new ChunkBuilder(options.reuseMemory)
  let zeros = 0
  const fill = (member: TarInput, count: number): Generator<Uint8Array> => {
    zeros += count
    if (zeros > MOST_ZEROS) throw tooManyZeros(member)
    return chunks.zeros(count)
  }
  for await (const member of members) {
    yield* writeHeaders(member, chunks)
    if (member.type !== 'file') continue
    const runs = member.sparse ?? [{ offset: 0, length: member.size }]
    yield* writeBody(member, runs, chunks, fill)
    const written = runs.reduce((sum, run) => sum + run.length, 0)
    yield* chunks.zeros(padding(written))
  }
  yield* chunks.zeros(2 * BLOCK)
  yield* chunks.end()
}

function* writeHeaders(member: TarInput, chunks: ChunkBuilder): Generator<Uint8Array> {
  checkName(member.path)
  const map =
    member.type === 'file' && member.sparse !== undefined ? encodeMap(checkRuns(member), member.size) : undefined
  const { header, records } = describeMember(member, map?.length)
  if (records.length > 0) {
    const body = encodePaxRecords(records)
    const name = paxHeaderName(member.path)
    yield* chunks.add(encodeHeader({ type: 'x', name, mode: 0o644, uid: 0, gid: 0, size: body.length, mtime: 0 }))
    yield* chunks.add(body)
    yield* chunks.zeros(padding(body.length))
  }
  yield* chunks.add(encodeHeader(header))
  if (map !== undefined) yield* chunks.add(map)
}

function checkName(path: string): void {
  if (!path.includes('\0') && nameLength(path) > 0) return
  throw new C2mError('C2M_TAR_NAME', `the name ${JSON.stringify(path)} cannot be written to a tar archive`, {
    hint: 'a name must not be empty or hold a NUL byte; the root is written ./',
  })
}

function checkRuns(member: TarInput): readonly SparseRun[] {
  const runs = member.sparse ?? []
  const stored = runs.reduce((sum, run) => sum + run.length, 0)
  return sparseRuns(
    runs.flatMap((run) => [run.offset, run.length]),
    member.size,
    stored,
    0,
  )
}

/** Writes the runs one after the other; what the body leaves out of them is zeros. */
async function* writeBody(
  member: TarInput,
  runs: readonly SparseRun[],
  chunks: ChunkBuilder,
  fill: (member: TarInput, count: number) => Generator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let index = 0
  let written = 0 // of the run at `index`
  for await (const extent of member.body ?? noBody()) {
    let { offset, data } = extent
    while (data.length > 0) {
      const run = runs[index]
      if (run === undefined || offset < run.offset + written) throw bodyMismatch(member, offset)
      const end = run.offset + run.length
      if (offset < end) {
        yield* fill(member, offset - run.offset - written)
        const part = data.subarray(0, end - offset)
        yield* chunks.add(part)
        written = offset + part.length - run.offset
        offset += part.length
        data = data.subarray(part.length)
      }
      if (written < run.length && data.length === 0) break
      yield* fill(member, run.length - written)
      index++
      written = 0
    }
  }
  for (; index < runs.length; index++, written = 0) yield* fill(member, runs[index]!.length - written)
}

async function* noBody(): Body & AsyncGenerator<never> {
  // nothing but a hole
}

function tooManyZeros({ path, size }: TarInput): C2mError {
  return new C2mError(
    'C2M_TAR_HOLES',
    `${JSON.stringify(path)} of ${size} bytes has holes that would be stored as zeros, with those before it more than ${MOST_ZEROS} bytes`,
    { hint: 'leave the file out or shorten it: only programs that know sparse files can hold it' },
  )
}

function bodyMismatch(member: TarInput, offset: number): C2mError {
  return new C2mError(
    'C2M_BODY_SIZE',
    `${JSON.stringify(member.path)} of ${member.size} bytes has data at byte ${offset} where none belongs`,
    { hint: 'the file changed while it was read, or its source is damaged' },
  )
}
