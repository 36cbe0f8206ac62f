import type { Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { collectFiles, installedFile } from './files.js'

const GUEST = {
  ...{
    'boot/extlinux/ldlinux.sys': 'sys',
    'boot/extlinux/ldlinux.c32': 'core',
    'boot/extlinux/bootsector.bin': 'boot',
  },
  ...{ 'usr/share/syslinux/menu.c32': 'menu', 'usr/share/syslinux/libutil.c32': 'util' },
  ...{ 'usr/share/syslinux/mbr.bin': 'mbr', 'usr/lib/EXTLINUX/gptmbr.bin': 'gpt' },
}
const signal = new AbortController().signal

let path: string | undefined
beforeEach(() => {
  path = process.env.PATH
})
afterEach(() => {
  process.env.PATH = path
})

describe('collectFiles', () => {
  it("takes the guest's, wherever its package has put them", async () => {
    const files = await collectFiles(tree(GUEST), 'gpt', signal)
    expect([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()])).toEqual([
      ['ldlinux.sys', 'sys'],
      ['ldlinux.c32', 'core'],
      ['bootsector.bin', 'boot'],
      ['menu.c32', 'menu'],
      ['libutil.c32', 'util'],
      ['gptmbr.bin', 'gpt'],
    ])
    expect([...(await collectFiles(tree(GUEST), 'mbr', signal)).keys()].at(-1)).toBe('mbr.bin')
  })

  it('says what is missing where, and what to install', async () => {
    process.env.PATH = '/nonexistent'
    const { 'usr/share/syslinux/menu.c32': _menu, ...rest } = GUEST
    await expect(collectFiles(tree(rest), 'mbr', signal)).rejects.toMatchObject({
      code: 'C2M_EXTLINUX_FILES',
      exitCode: 3,
      message: expect.stringMatching(/the machine lacks menu\.c32, this host lacks the program mformat$/) as string,
      hint: expect.stringContaining('mtools') as string,
    })
  })

  it('refuses a file that is too large to be one of them', async () => {
    const huge = tree(GUEST, (entry) => (entry.path.endsWith('menu.c32') ? { ...entry, size: 2 ** 40 } : entry))
    await expect(collectFiles(huge, 'mbr', signal)).rejects.toMatchObject({ code: 'C2M_EXTLINUX_FILE' })
  })
})

describe('installedFile', () => {
  it('has to be there, and no larger than it may be', async () => {
    const rootfs = tree({ 'boot/extlinux/mbr.bin': 'x'.repeat(441) })
    expect(await installedFile(rootfs, 'mbr.bin', 441)).toHaveLength(441)
    await expect(installedFile(rootfs, 'mbr.bin')).rejects.toMatchObject({ code: 'C2M_EXTLINUX_FILE' })
    await expect(installedFile(rootfs, 'gptmbr.bin')).rejects.toMatchObject({ code: 'C2M_EXTLINUX_FILE' })
  })
})

function tree(
  files: Readonly<Record<string, string>>,
  change: (entry: RootfsEntry) => RootfsEntry = (entry) => entry,
): Rootfs {
  const notAsked = () => {
    throw new Error('not asked for')
  }
  const entry = (name: string) => ({ path: name, type: 'file', size: files[name]?.length ?? 0 }) as RootfsEntry
  return {
    resolve: (name) => Promise.resolve(Object.hasOwn(files, name) ? name : undefined),
    stat: (name) => Promise.resolve(Object.hasOwn(files, name) ? change(entry(name)) : undefined),
    async *stream(name) {
      yield { offset: 0, data: Buffer.from(files[name] ?? '') }
    },
    list: notAsked,
    walk: notAsked,
    contents: notAsked,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
