import { describe, expect, it } from 'vitest'
import { FEATURE_SETS } from '../testing/options.js'
import type { MemoryEntry } from '../testing/memory-rootfs.js'
import { noise } from '../testing/tree.js'
import { openExt4 } from './open.js'
import { digests, readEverything, writeImage } from './testing/images.js'
import { memorySource } from './testing/sources.js'

const MIB = 1024 * 1024
const BLOCK = 4096
const SUPERBLOCK = 1024
const Inode = { size: 0x04, links: 0x1a, flags: 0x20, block: 0x28, sizeHigh: 0x6c } as const

const TREE: readonly MemoryEntry[] = [
  { path: 'aaaa/bbbb', type: 'directory' },
  { path: 'aaaa/cccc', type: 'directory' },
  { path: 'aaaa/bbbb/inner', type: 'file', content: Buffer.from('inner') },
  { path: 'big', type: 'file', content: noise(4 * MIB, 'big') },
  ...Array.from({ length: 6 }, (_, index): MemoryEntry => ({
    path: `small-${index}`,
    type: 'file',
    content: noise(100, `${index}`),
  })),
  { path: 'link', type: 'symlink', linkTarget: 'target' },
]

/** An image without checksums, to be damaged. */
class Patient {
  constructor(readonly image: Buffer) {}

  static async make(): Promise<Patient> {
    return new Patient(await writeImage(TREE, FEATURE_SETS.conservative, 16 * MIB))
  }

  /** An inode's bytes, shared with the image. */
  async inode(path: string): Promise<Buffer> {
    await using rootfs = await openExt4(memorySource(this.image))
    const { inode } = (await rootfs.stat(path))!
    const at = this.image.readUInt32LE(BLOCK + 8) * BLOCK + (inode - 1) * 256
    return this.image.subarray(at, at + 256)
  }

  /** The directory entry of a name, shared with the image. */
  entry(name: string): Buffer {
    const at = this.image.indexOf(name)
    expect(this.image[at - 2]).toBe(name.length)
    return this.image.subarray(at - 8, at + name.length)
  }

  read(): Promise<number> {
    return readEverything(memorySource(this.image), openExt4)
  }
}

describe('what is wrong is said by path', () => {
  const cases: Record<string, [(patient: Patient) => Promise<void> | void, message: string]> = {
    'a directory within itself': [
      async (patient) => {
        await using rootfs = await openExt4(memorySource(patient.image))
        patient.entry('bbbb').writeUInt32LE((await rootfs.stat('aaaa'))!.inode)
      },
      '"/aaaa/bbbb" (inode 12) is damaged: the directory has two names',
    ],
    'a file with more names than it counts': [
      (patient) => void patient.entry('small-1').writeUInt32LE(patient.entry('small-0').readUInt32LE()),
      'is damaged: it has more names than it counts',
    ],
    'a name twice': [(patient) => void patient.entry('bbbb').write('cccc', 8), 'holds the name "cccc" twice'],
    'a name with a slash': [(patient) => void patient.entry('bbbb').write('b/bb', 8), 'impossible name "b/bb"'],
    'a name with NUL': [(patient) => void patient.entry('bbbb').write('b\0bb', 8), 'impossible name "b\\u0000bb"'],
    'an entry of no length': [
      (patient) => void patient.entry('bbbb').writeUInt16LE(0, 4),
      '"/aaaa" (inode 12) is damaged: the entries',
    ],
    'an inode that is not there': [
      (patient) => void patient.entry('small-3').writeUInt32LE(999_999),
      '"/small-3" (inode 999999) is damaged: there are only',
    ],
    'a reserved inode': [(patient) => void patient.entry('small-3').writeUInt32LE(8), 'one of the reserved'],
    'a deleted inode': [
      async (patient) => void (await patient.inode('small-3')).writeUInt16LE(0, Inode.links),
      'deleted',
    ],
    'a huge size': [
      async (patient) => void (await patient.inode('small-3')).writeUInt32LE(0xffffffff, Inode.sizeHigh),
      '"/small-3"',
    ],
    'blocks outside': [
      async (patient) => void (await patient.inode('small-3')).writeUInt32LE(5000, Inode.block + 20),
      'it uses block 5000, outside of the file system',
    ],
    'a directory with a hole': [
      async (patient) => void (await patient.inode('aaaa')).writeUInt32LE(2 * BLOCK, Inode.size),
      '"/aaaa" (inode 12) is damaged: the directory has a hole',
    ],
    'a target with NUL': [
      async (patient) => void (await patient.inode('link')).fill(0, Inode.block + 2, 50),
      '"/link"',
    ],
    'a root that is a file': [
      async (patient) => void (await patient.inode('')).writeUInt16LE(0o100644),
      '"/" (inode 2) is damaged: the root is a file',
    ],
  }
  it.each(Object.entries(cases))('%s', async (_, [damage, message]) => {
    const patient = await Patient.make()
    await damage(patient)
    const found = await patient.read().catch((error: unknown) => error)
    expect(found).toMatchObject({ code: 'C2M_EXT4_DAMAGED', hint: expect.stringMatching(/e2fsck/) as string })
    expect((found as Error).message).toContain(message)
  })

  it('of a superblock', async () => {
    const { image } = await Patient.make()
    const codeOf = async (offset: number, value: number): Promise<unknown> => {
      const before = image.readUInt32LE(SUPERBLOCK + offset)
      image.writeUInt32LE(value, SUPERBLOCK + offset)
      const error = await openExt4(memorySource(image)).catch((reason: unknown) => reason)
      image.writeUInt32LE(before, SUPERBLOCK + offset)
      return error
    }
    const incompat = image.readUInt32LE(SUPERBLOCK + 0x60)
    expect(await codeOf(0x60, incompat | 0x40080001)).toMatchObject({
      code: 'C2M_EXT4_UNSUPPORTED',
      message: expect.stringContaining('the features compression, incompat:0x40080000') as string,
    })
    expect(await codeOf(0x60, incompat | 0x8)).toMatchObject({ code: 'C2M_EXT4_UNSUPPORTED' })
    for (const [offset, value] of [
      [0x00, 0],
      [0x04, 0],
      [0x04, 0x7fffffff],
      [0x14, 77],
      [0x18, 7],
      [0x18, 0xffffffff],
      [0x20, 0],
      [0x20, 0xffffffff],
      [0x28, 0],
      [0x28, 0xffffffff],
      [0x58, 100],
      [0x58, 8192],
    ] as const) {
      expect(await codeOf(offset, value)).toMatchObject({ code: 'C2M_EXT4_DAMAGED' })
    }
    await expect(openExt4(memorySource(image.subarray(0, 8 * MIB)))).rejects.toMatchObject({
      code: 'C2M_EXT4_DAMAGED',
      message: expect.stringContaining('but only 8388608 bytes are there') as string,
    })
  })

  it('of checksums', async () => {
    const image = await writeImage(TREE, FEATURE_SETS.modern, 16 * MIB)
    const table = image.readUInt32LE(BLOCK + 8) * BLOCK
    const parts = {
      superblock: SUPERBLOCK + 0x3a,
      descriptor: BLOCK + 0x0c,
      root: table + 256 + 0x40,
      name: image.indexOf('small-3'),
    }
    for (const at of Object.values(parts)) {
      image[at]! ^= 4
      await expect(readEverything(memorySource(image), openExt4)).rejects.toMatchObject({ code: 'C2M_EXT4_CHECKSUM' })
      image[at]! ^= 4
    }
    await readEverything(memorySource(image), openExt4)
  })

  it('of an external journal that was not replayed', async () => {
    const { image } = await Patient.make()
    image.writeUInt32LE(image.readUInt32LE(SUPERBLOCK + 0x60) | 0x4, SUPERBLOCK + 0x60)
    image.writeUInt32LE(0, SUPERBLOCK + 0xe0)
    await expect(openExt4(memorySource(image))).rejects.toMatchObject({
      code: 'C2M_EXT4_UNSUPPORTED',
      message: expect.stringContaining('its journal is on another device') as string,
    })
  })

  it('when files share blocks, before they fill the world', async () => {
    const patient = await Patient.make()
    const big = Buffer.from(await patient.inode('big'))
    for (let index = 0; index < 6; index++) {
      const inode = await patient.inode(`small-${index}`)
      big.copy(inode, Inode.size, Inode.size, Inode.size + 4)
      big.copy(inode, Inode.block, Inode.block, Inode.block + 60)
    }
    await expect(patient.read()).rejects.toMatchObject({
      code: 'C2M_EXT4_DAMAGED',
      message: expect.stringContaining('it uses blocks of other files') as string,
    })
  })

  it('only when the damaged file is read', async () => {
    const patient = await Patient.make()
    ;(await patient.inode('small-3')).writeUInt16LE(0, Inode.block)
    await using rootfs = await openExt4(memorySource(patient.image))
    const failed: string[] = []
    for await (const { entry, body } of rootfs.contents()) {
      try {
        for await (const _ of body) continue
      } catch (error) {
        expect(error).toMatchObject({ message: expect.stringContaining('"/small-3"') as string })
        failed.push(entry.path)
      }
    }
    expect(failed).toEqual(['small-3'])
  })
})

describe('encrypted files', () => {
  it('have names, but no content', async () => {
    const patient = await Patient.make()
    for (const path of ['aaaa/bbbb/inner', 'aaaa/bbbb']) {
      const inode = await patient.inode(path)
      inode.writeUInt32LE((inode.readUInt32LE(Inode.flags) | 0x800) >>> 0, Inode.flags)
    }
    const notices: string[] = []
    await using rootfs = await openExt4(memorySource(patient.image), { onNotice: (message) => notices.push(message) })
    const name = Buffer.from('inner').toString('base64url')
    expect(await rootfs.list('aaaa/bbbb')).toEqual([name])
    const paths: string[] = []
    for await (const { path } of rootfs.walk()) paths.push(path)
    expect(paths).toContain(`aaaa/bbbb/${name}`)
    expect(notices).toHaveLength(1)
    expect(notices[0]).toContain('"/aaaa/bbbb" is encrypted')
    await expect(digests(rootfs)).rejects.toMatchObject({
      code: 'C2M_EXT4_ENCRYPTED',
      message: expect.stringContaining(`/aaaa/bbbb/${name}`) as string,
    })
    // who leaves it out is not bothered
    for await (const { entry, body } of rootfs.contents()) {
      if (entry.path.startsWith('aaaa/bbbb')) continue
      for await (const _ of body) continue
    }
  })
})
