import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Rootfs } from '@c2m/plugin-api'
import { C2mError, fileError, settledVersion } from '@c2m/process'
import type { SeekableTar } from '../archive/archive.js'
import { badJson } from '../manifest/json.js'

/** Files of a layout or archive by their relative path. Chunks never share memory. */
export interface BlobFolder {
  /** Bytes, undefined when there is no such regular file. */
  size(path: string): Promise<number | undefined>
  open(path: string): AsyncIterable<Uint8Array>
  /** LayerSource.bytesId of a file. */
  bytesId(path: string): Promise<string | undefined>
  /** For messages. */
  readonly origin: string
}

const CHUNK = 512 * 1024

/**
 * A small file, whole.
 * @throws C2M_IMAGE_MANIFEST when it is absent or has more than `maximum` bytes
 */
export async function readSmall(folder: BlobFolder, path: string, maximum: number): Promise<Uint8Array> {
  const size = await folder.size(path)
  if (size === undefined) throw badJson(folder.origin, `has no file ${path}`)
  if (size > maximum)
    throw badJson(`${path} of ${folder.origin}`, `has ${size} bytes, more than the ${maximum} that c2m takes`)
  const chunks: Uint8Array[] = []
  for await (const chunk of folder.open(path)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Members of a tar that was indexed, never unpacked; symbolic links are followed inside it. */
export function archiveFolder(tree: Rootfs, { origin, version }: Omit<SeekableTar, 'path'>): BlobFolder {
  const find = async (path: string) => {
    const target = await tree.resolve(path)
    const entry = target === undefined ? undefined : await tree.stat(target)
    return entry?.type === 'file' ? entry : undefined
  }
  return {
    origin,
    size: async (path) => (await find(path))?.size,
    bytesId: (path) => Promise.resolve(version === undefined ? undefined : `${path} in the archive ${version}`),
    async *open(path) {
      const entry = await find(path)
      if (entry === undefined) throw badJson(origin, `has no file ${path}`)
      yield* withoutHoles(tree, entry.path, entry.size)
    },
  }
}

/** A body's bytes with holes as zeros, copied out of the memory that extents share. */
async function* withoutHoles(tree: Rootfs, path: string, size: number): AsyncGenerator<Uint8Array> {
  let position = 0
  const zeros = function* (until: number) {
    for (; position < until;) {
      const length = Math.min(CHUNK, until - position)
      position += length
      yield new Uint8Array(length)
    }
  }
  for await (const { offset, data } of tree.stream(path)) {
    yield* zeros(offset)
    yield Uint8Array.from(data)
    position += data.length
  }
  yield* zeros(size)
}

/** A folder on this machine. Links are followed, since some builders link blobs; their digests are checked anyway. */
export function localFolder(root: string): BlobFolder {
  return {
    origin: root,
    size: async (path) => {
      const found = await stat(join(root, path)).catch(() => undefined)
      return found?.isFile() === true ? found.size : undefined
    },
    bytesId: async (path) => {
      const version = await settledVersion(join(root, path))
      return version === undefined ? undefined : `the file ${version}`
    },
    async *open(path) {
      const file = join(root, path)
      try {
        yield* createReadStream(file, { highWaterMark: CHUNK }) as AsyncIterable<Uint8Array>
      } catch (error) {
        throw fileError(error, file, 'read')
      }
    },
  }
}

/** @throws C2M_FILE_ENOENT and its like; C2M_IMAGE_NOT_FOUND when it is neither a file nor a folder */
export async function fileKind(path: string): Promise<'file' | 'directory'> {
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(error, path, 'read')
  })
  if (found.isFile()) return 'file'
  if (found.isDirectory()) return 'directory'
  throw new C2mError('C2M_IMAGE_NOT_FOUND', `${path} is neither a file nor a directory`, {
    hint: 'name an archive or a folder',
  })
}
