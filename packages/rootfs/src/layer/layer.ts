import { open, type FileHandle } from 'node:fs/promises'
import type { Body, Extent, Timestamp } from '@c2m/plugin-api'
import { C2mError, fileError, throwIfAborted } from '@c2m/process'
import { cleanPath } from '../name/path.js'
import { tarFault } from '../tar/fault.js'
import type { StoredMember } from '../tar/member.js'
import { readMembers, type TarReadOptions } from '../tar/reader.js'
import { TreeBudget } from '../tree/budget.js'
import { FileSource } from './file-source.js'
import { WindowReader } from './window.js'

/** A member of a layer; its path is clean (see cleanPath), a hard link's target too. */
export interface LayerEntry extends StoredMember {
  readonly layer: Layer
}

/** An uncompressed tar file on disk and the index of its headers. Disposing it closes the file. */
export interface Layer extends AsyncDisposable {
  readonly tarPath: string
  /** Bytes of the archive. */
  readonly size: number
  /** The archive itself, also when its name is gone meanwhile. */
  archive(): AsyncIterable<Uint8Array>
  /** In the archive's order; whiteouts are entries like others. */
  readonly entries: readonly LayerEntry[]
  /** The body of one file, opened anew each time it is read. */
  stream(entry: LayerEntry): Body
  /** The bodies of many files in one sequential pass; `entries` must be in the archive's order. */
  bodies(entries: readonly LayerEntry[]): AsyncIterable<Body>
}

export interface IndexOptions extends TarReadOptions {
  readonly signal?: AbortSignal
  /** Of all layers of one tree; default: one of its own. */
  readonly budget?: TreeBudget
}

/** What a run of a map of holes takes in memory. */
const RUN_BYTES = 40
const CHUNK = 256 * 1024

/**
 * Reads the headers of an uncompressed tar file, skipping bodies.
 * @throws C2M_TAR_… when it is damaged; C2M_PATH_INVALID; C2M_TREE_TOO_LARGE; C2M_ATTRIBUTE_NAMES; C2M_FILE_… when it
 *   cannot be opened; C2M_INTERRUPTED
 */
export async function indexLayer(tarPath: string, options: IndexOptions = {}): Promise<Layer> {
  const file = await open(tarPath).catch((error: unknown) => {
    throw fileError(error, tarPath, 'read')
  })
  try {
    const layer = new TarLayer(tarPath, file, (await file.stat()).size)
    await index(layer, file, options)
    return layer
  } catch (error) {
    await file.close()
    throw fileError(error, tarPath, 'read')
  }
}

async function index(layer: TarLayer, file: FileHandle, options: IndexOptions): Promise<void> {
  let last: Timestamp | undefined
  const { signal, budget = new TreeBudget(layer.tarPath) } = options
  for await (const member of readMembers(new FileSource(file), options)) {
    throwIfAborted(signal)
    if (member.bodyOffset + member.storedSize > layer.size) {
      throw tarFault('C2M_TAR_TRUNCATED', `ends before the body of ${JSON.stringify(member.path)}`, layer.size)
    }
    budget.addEntry(member.path.length)
    budget.keepAttributes(member.xattrs, member.path)
    budget.keep((member.sparse?.length ?? 0) * RUN_BYTES)
    // neighbours often share their time
    last = isSameTime(last, member.mtime) ? last : member.mtime
    layer.entries.push(layerEntry(member, last, layer))
  }
}

function isSameTime(a: Timestamp | undefined, b: Timestamp): a is Timestamp {
  return a?.seconds === b.seconds && a.nanoseconds === b.nanoseconds
}

function layerEntry(member: StoredMember, mtime: Timestamp, layer: Layer): LayerEntry {
  return {
    path: cleanPath(member.path),
    type: member.type,
    mode: member.mode,
    uid: member.uid,
    gid: member.gid,
    mtime,
    size: member.size,
    linkTarget: member.type === 'hardlink' ? cleanPath(member.linkTarget ?? '') : member.linkTarget,
    device: member.device,
    xattrs: member.xattrs,
    headerOffset: member.headerOffset,
    bodyOffset: member.bodyOffset,
    storedSize: member.storedSize,
    sparse: member.sparse,
    layer,
  }
}

class TarLayer implements Layer {
  readonly entries: LayerEntry[] = []
  readonly tarPath: string
  readonly size: number
  readonly #file: FileHandle
  #isOpen = true

  constructor(tarPath: string, file: FileHandle, size: number) {
    this.tarPath = tarPath
    this.#file = file
    this.size = size
  }

  archive(): AsyncIterable<Uint8Array> {
    const stream: AsyncIterable<Uint8Array> = this.#file.createReadStream({
      start: 0,
      autoClose: false,
      highWaterMark: CHUNK,
    })
    return stream
  }

  stream(entry: LayerEntry): Body {
    return { [Symbol.asyncIterator]: () => this.#readAlone(entry) }
  }

  async *bodies(entries: readonly LayerEntry[]): AsyncGenerator<Body> {
    const ranges = entries.filter((entry) => entry.storedSize > 0).map(rangeOf)
    const windows = new WindowReader(this.#file, this.tarPath, ranges)
    let current: LayerEntry | undefined
    try {
      for (const entry of entries) {
        current = entry
        yield readBody(entry, windows, () => current === entry)
      }
    } finally {
      current = undefined
      await windows.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#file.close()
  }

  async *#readAlone(entry: LayerEntry): AsyncGenerator<Extent> {
    const windows = new WindowReader(this.#file, this.tarPath, [rangeOf(entry)])
    try {
      yield* readBody(entry, windows, () => true)
    } finally {
      await windows.close()
    }
  }
}

function rangeOf(entry: LayerEntry): { offset: number; length: number } {
  return { offset: entry.bodyOffset, length: entry.storedSize }
}

async function* readBody(entry: LayerEntry, windows: WindowReader, isCurrent: () => boolean): AsyncGenerator<Extent> {
  let stored = entry.bodyOffset
  for (const run of entry.sparse ?? [{ offset: 0, length: entry.storedSize }]) {
    for (let done = 0; done < run.length;) {
      if (!isCurrent()) throw passed(entry.path)
      const data = await windows.at(stored, run.length - done)
      yield { offset: run.offset + done, data }
      done += data.length
      stored += data.length
    }
  }
}

function passed(path: string): C2mError {
  return new C2mError('C2M_BODY_PASSED', `the body of ${JSON.stringify(path)} was asked for too late`, {
    hint: 'read a body before asking for the next one, or use stream()',
  })
}
