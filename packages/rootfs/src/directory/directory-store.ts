import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import type { Body, Extent } from '@c2m/plugin-api'
import { C2mError, fileError, readFully } from '@c2m/process'
import type { BodyStore } from '../tree/tree-rootfs.js'
import { pathOf } from '../tree/node.js'
import { diskPath, type DirectoryMetadata, type DirectoryNode } from './directory-node.js'

const WINDOW = 1024 * 1024
/** Holes are looked for in units of the usual block size. */
const HOLE_UNIT = 4096
const ZEROS = Buffer.alloc(HOLE_UNIT)

/** Reads the bodies of a directory's files; those whose blocks do not cover their size are searched for holes. */
export class DirectoryStore implements BodyStore<DirectoryMetadata> {
  readonly #top: string

  constructor(top: string) {
    this.#top = top
  }

  stream(node: DirectoryNode): Body {
    return { [Symbol.asyncIterator]: () => this.#read(node) }
  }

  mayHaveHoles(node: DirectoryNode): boolean {
    return node.inode.metadata.isSparse
  }

  /** By inode number, which on most file systems is about the order on the disk. */
  async *contents(nodes: readonly DirectoryNode[]): AsyncGenerator<{ node: DirectoryNode; body: Body }> {
    const inode = (node: DirectoryNode): bigint => node.inode.metadata.diskInode
    const ordered = [...nodes].sort((a, b) => (inode(a) < inode(b) ? -1 : inode(a) > inode(b) ? 1 : 0))
    for (const node of ordered) yield { node, body: this.stream(node) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // every file is closed when its body ends
  }

  async *#read(node: DirectoryNode): AsyncGenerator<Extent> {
    const { size, isSparse } = node.inode.metadata
    if (size === 0) return
    const file = await this.#open(node)
    try {
      const buffer = Buffer.allocUnsafeSlow(Math.min(size, WINDOW))
      for (let offset = 0; offset < size; offset += buffer.length) {
        const wanted = buffer.subarray(0, Math.min(buffer.length, size - offset))
        if ((await readFully(file, wanted, offset)) < wanted.length) throw this.#changed(node)
        if (isSparse) yield* withoutHoles(wanted, offset)
        else yield { offset, data: wanted }
      }
    } finally {
      await file.close()
    }
  }

  async #open(node: DirectoryNode): Promise<FileHandle> {
    const path = diskPath(this.#top, pathOf(node))
    // a name that became a link or a fifo since is neither followed nor waited for
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    const file = await open(path, flags).catch((error: unknown) => {
      throw fileError(error, path.toString(), 'read')
    })
    const stats = await file.stat({ bigint: true })
    if (stats.isFile() && stats.ino === node.inode.metadata.diskInode) return file
    await file.close()
    throw this.#changed(node)
  }

  #changed(node: DirectoryNode): C2mError {
    const path = diskPath(this.#top, pathOf(node)).toString()
    return new C2mError('C2M_DIRECTORY_CHANGED', `${path} changed while it was read`, {
      hint: 'stop what writes to the folder, or copy it first',
    })
  }
}

function* withoutHoles(data: Buffer, offset: number): Generator<Extent> {
  let start = 0
  for (let at = 0; at < data.length; at += HOLE_UNIT) {
    const unit = data.subarray(at, at + HOLE_UNIT)
    if (unit.compare(ZEROS, 0, unit.length) !== 0) continue
    if (at > start) yield { offset: offset + start, data: data.subarray(start, at) }
    start = at + unit.length
  }
  if (start < data.length) yield { offset: offset + start, data: data.subarray(start) }
}
