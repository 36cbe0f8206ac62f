import type { Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import { readFile, requireFile } from './file.js'

function tree(entry: Partial<RootfsEntry> | undefined, extents: { offset: number; data: Uint8Array }[] = []): Rootfs {
  const nothing = () => Promise.reject(new Error('not asked for'))
  return {
    resolve: (path) => Promise.resolve(entry === undefined ? undefined : path),
    stat: () => Promise.resolve(entry as RootfsEntry | undefined),
    async *stream() {
      yield* extents
    },
    list: nothing,
    walk: () => {
      throw new Error('not asked for')
    },
    contents: () => {
      throw new Error('not asked for')
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

describe('readFile', () => {
  it('reads extents and holes', async () => {
    const file = tree({ type: 'file', size: 5 }, [{ offset: 2, data: Uint8Array.of(7, 8) }])
    expect(await readFile(file, '/a', 5)).toEqual(Uint8Array.of(0, 0, 7, 8, 0))
  })

  it('is undefined when there is none', async () => {
    expect(await readFile(tree(undefined), '/a', 5)).toBeUndefined()
    await expect(requireFile(tree(undefined), '/a', 5)).rejects.toMatchObject({ code: 'C2M_GRUB_FILE' })
  })

  it.each([
    ['a folder', { type: 'directory' as const, size: 0 }, []],
    ['too large a file', { type: 'file' as const, size: 6 }, []],
    ['a file that lies about its size', { type: 'file' as const, size: 1 }, [{ offset: 1, data: Uint8Array.of(1) }]],
  ])('refuses %s', async (_what, entry, extents) => {
    await expect(readFile(tree(entry, extents), '/a', 5)).rejects.toMatchObject({ code: 'C2M_GRUB_FILE' })
  })
})
