import 'reflect-metadata'
import { readText } from '@c2m/linux'
import { CleanupStack, findTool, silentReporter } from '@c2m/process'
import { packRootfs } from '@c2m/rootfs'
import { treeOf } from '@c2m/testkit'
import { lstat, lutimes, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ImageLayers } from './image-layers.js'
import { baseIdentity } from './to-machine/package-layer.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-image-layers-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function opened<T>(reference: string, use: (found: Awaited<ReturnType<ImageLayers['open']>>) => Promise<T>) {
  const images = new ImageLayers(silentReporter, new AbortController().signal, {
    cache: join(folder, 'cache'),
    env: {},
  })
  await using cleanup = new CleanupStack()
  return await use(await images.open(reference, undefined, cleanup))
}

const identity = (reference: string) => opened(reference, ({ image }) => Promise.resolve(baseIdentity(image)))

/** A root file system with a program; its times are the same whatever it is. */
async function rootWith(name: string, program: string, mode = 0o755): Promise<string> {
  const root = join(folder, name)
  await mkdir(join(root, 'bin'), { recursive: true })
  await writeFile(join(root, 'bin/x'), program, { mode })
  for (const path of ['bin/x', 'bin', '.']) await lutimes(join(root, path), 1e9, 1e9)
  return root
}

describe.skipIf((await findTool('getfattr')) === undefined)('a folder', () => {
  it('is known by its content, not by size and time', async () => {
    const [hostile, original, copy] = [
      await rootWith('a', 'HOSTILE!'),
      await rootWith('b', 'ORIGINAL'),
      await rootWith('c', 'ORIGINAL'),
    ]
    expect(await identity(`dir:${hostile}`)).not.toBe(await identity(`dir:${original}`))
    expect(await identity(`dir:${original}`)).toBe(await identity(`dir:${copy}`))
    expect(await identity(`dir:${original}`)).not.toBe(await identity(`dir:${await rootWith('d', 'ORIGINAL', 0o711)}`))
  })

  it('is known by its new content when only that was changed', async () => {
    const root = await rootWith('e', 'ORIGINAL')
    const before = await identity(`dir:${root}`)
    const { atime, mtime } = await lstat(join(root, 'bin/x'))
    await writeFile(join(root, 'bin/x'), 'HOSTILE!')
    await lutimes(join(root, 'bin/x'), atime, mtime)
    expect(await identity(`dir:${root}`)).not.toBe(before)
  })

  it('stays what it was known by when it changes later', async () => {
    const root = await rootWith('f', 'ORIGINAL')
    await opened(`dir:${root}`, async ({ rootfs }) => {
      await writeFile(join(root, 'bin/x'), 'HOSTILE!')
      expect(await readText(rootfs, 'bin/x')).toBe('ORIGINAL')
    })
  })
})

describe('a tarball', () => {
  const write = async (content: string) => {
    const path = join(folder, 'root.tar')
    const chunks: Uint8Array[] = []
    for await (const chunk of packRootfs(await treeOf({ 'bin/x': content }))) chunks.push(Buffer.from(chunk))
    await writeFile(path, Buffer.concat(chunks))
    return path
  }

  it('stays what it was known by when it changes later', async () => {
    const path = await write('ORIGINAL')
    const before = await identity(`tarball:${path}`)
    await opened(`tarball:${path}`, async ({ rootfs, image }) => {
      await write('HOSTILE!')
      expect(baseIdentity(image)).toBe(before)
      expect(await readText(rootfs, 'bin/x')).toBe('ORIGINAL')
    })
    expect(await identity(`tarball:${path}`)).not.toBe(before)
  })
})
