import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Body, Rootfs } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { afterAll, beforeAll } from 'vitest'
import { indexLayer, type Layer } from '../layer/layer.js'
import { mergeLayers } from '../merge/merge.js'
import { NO_XATTRS, type TarInput } from '../tar/member.js'
import { readTar } from '../tar/stream.js'
import { writeTar } from '../tar/writer.js'

/** A folder for the tests of one file. */
export function temporaryFolder(): { readonly path: string } {
  const folder = { path: '' }
  beforeAll(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'c2m-rootfs-test-'))
  })
  afterAll(() => rm(folder.path, { recursive: true, force: true }))
  return folder
}

export function member(path: string, fields: Partial<TarInput> & { content?: string | Uint8Array } = {}): TarInput {
  const { content, ...others } = fields
  const data = content === undefined ? undefined : Buffer.from(content)
  const type = fields.type ?? (path.endsWith('/') ? 'directory' : 'file')
  return {
    path,
    type,
    mode: type === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtime: { seconds: 1_600_000_000, nanoseconds: 0 },
    size: data?.length ?? 0,
    xattrs: NO_XATTRS,
    ...others,
    ...(data === undefined ? {} : { body: bodyOfBytes(data) }),
  }
}

export function hardLink(path: string, linkTarget: string): TarInput {
  return member(path, { type: 'hardlink', linkTarget })
}

export function symlink(path: string, linkTarget: string): TarInput {
  return member(path, { type: 'symlink', linkTarget, mode: 0o777 })
}

/** Can be read any number of times. */
export function bodyOfBytes(data: Uint8Array): Body {
  return {
    async *[Symbol.asyncIterator]() {
      if (data.length > 0) yield { offset: 0, data }
    },
  }
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(Buffer.from(chunk))
  return Buffer.concat(all)
}

/** A body's bytes, holes as zeros. */
export async function readBody(body: Body, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size)
  for await (const { offset, data } of body) bytes.set(data, offset)
  return bytes
}

export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

let layers = 0

export async function layer(folder: { readonly path: string }, members: readonly TarInput[]): Promise<Layer> {
  const path = join(folder.path, `layer-${layers++}.tar`)
  await writeFile(path, await collect(writeTar(members)))
  return indexLayer(path)
}

export async function merged(
  folder: { readonly path: string },
  ...contents: readonly (readonly TarInput[])[]
): Promise<Rootfs> {
  return mergeLayers(await Promise.all(contents.map((members) => layer(folder, members))))
}

export async function readAll(bytes: Uint8Array, piece = 1 << 20): Promise<{ path: string; content: string }[]> {
  const members: { path: string; content: string }[] = []
  for await (const { path, size, body } of readTar(inPieces(bytes, piece))) {
    members.push({ path, content: (await readBody(body, size)).toString('latin1') })
  }
  return members
}

/** One line for each entry, in the order of the walk, with what people care about and what merging could get wrong. */
export async function describeTree(rootfs: Rootfs): Promise<string[]> {
  const first = new Map<number, string>()
  const lines: string[] = []
  for await (const entry of rootfs.walk()) {
    const parts = [entry.path || '/', entry.type, entry.mode.toString(8)]
    if (entry.linkTarget !== undefined) parts.push(`-> ${entry.linkTarget}`)
    if (entry.type === 'file') {
      parts.push(JSON.stringify((await readBody(rootfs.stream(entry.path), entry.size)).toString()))
    }
    if (entry.type !== 'directory') {
      if (!first.has(entry.inode)) first.set(entry.inode, entry.path)
      parts.push(`${entry.nlink}x ${first.get(entry.inode)}`)
    }
    lines.push(parts.join(' '))
  }
  return lines
}

/** The bodies that contents() gives, by path. */
export async function readContents(rootfs: Rootfs): Promise<Map<string, string>> {
  const contents = new Map<string, string>()
  for await (const { entry, body } of rootfs.contents()) {
    if (contents.has(entry.path)) throw new Error(`${entry.path} comes twice`)
    contents.set(entry.path, (await readBody(body, entry.size)).toString())
  }
  return contents
}

/** The code of the error that something ends with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'no error'
  } catch (error) {
    if (error instanceof C2mError) return error.code
    throw error
  }
}
