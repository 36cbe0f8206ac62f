import { open, readFile, truncate, writeFile } from 'node:fs/promises'
import type { DiskFormat } from '@c2m/plugin-api'
import { run } from '@c2m/process'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { vhdChecksum, VHD_CHECKSUM_OFFSET } from '../format/vhd-footer.js'
import { openDisk } from '../open/open-disk.js'
import { MIB } from '../testing/plans.js'
import { convert, makeRawDisk, readContents } from '../testing/real-disks.js'
import { temporaryFolder } from '../testing/temporary.js'
import { haveTools } from '../testing/tools.js'
import { examineImage } from './examine.js'
import { ImageFile } from './image-file.js'

const tools = await haveTools({ 'qemu-img': 'qemu-utils', 'qemu-nbd': 'qemu-utils' })
const formats: [DiskFormat, string, string | undefined][] = [
  ['qcow2', 'qcow2', undefined],
  ['qcow2', 'qcow2', 'cluster_size=512'],
  ['vdi', 'vdi', undefined],
  ['vmdk', 'vmdk', undefined],
  ['vmdk', 'vmdk', 'subformat=streamOptimized'],
  ['vhd', 'vpc', undefined],
  ['vhdx', 'vhdx', undefined],
]

describe.skipIf(!tools)('a hostile image', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let raw: string
  beforeAll(async () => {
    folder = await temporaryFolder()
    raw = folder.file('raw')
    await makeRawDisk(raw)
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  /** A copy of a real image, changed. */
  const changed = async (
    name: string,
    [format, options]: [format: string, options?: string],
    change: (bytes: Buffer) => void,
  ): Promise<string> => {
    const path = folder.file(name)
    await convert(raw, path, format, options)
    const bytes = await readFile(path)
    change(bytes)
    await writeFile(path, bytes)
    return path
  }

  it.each(formats)(
    'of %s (%s, %s) is refused or examined in time, whatever its bytes',
    async (format, qemu, options) => {
      const path = folder.file(`fuzz.${format}`)
      await convert(raw, path, qemu, options)
      const pristine = (await readFile(path)).subarray(0, 3 * MIB)
      const tables = format === 'vhdx' ? [0, 192 * 1024, 2 * MIB, 3 * MIB - 4096] : [0, 512, 65536, 131072]
      const places = fc.tuple(fc.constantFrom(...tables), fc.nat(700)).map(([table, at]) => table + at)
      const values = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)
      const change = fc.record({
        at: places,
        value: fc.oneof(values, fc.nat(255)),
        length: fc.integer({ min: 1, max: 8 }),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
          await using file = await open(path, 'r+')
          for (const { at, value, length } of changes) {
            if (at + length <= pristine.length) await file.write(Buffer.alloc(length, value), 0, length, at)
          }
          const started = performance.now()
          try {
            await using image = await ImageFile.open(path)
            await examineImage(image, format)
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/^C2M_DISK_[A-Z_]+$/) as string })
          } finally {
            for (const { at, length } of changes)
              await file.write(pristine, at, Math.min(length, Math.max(0, pristine.length - at)), at)
          }
          expect(performance.now() - started).toBeLessThan(2000)
        }),
        { numRuns: 150 },
      )
      await using disk = await openDisk(path)
      expect(disk.format).toBe(format)
    },
  )

  const u32 = (at: number, value: number) => (bytes: Buffer) => void bytes.writeUInt32BE(value, at)
  const u32le = (at: number, value: number) => (bytes: Buffer) => void bytes.writeUInt32LE(value, at)
  const u64 = (at: number, value: bigint) => (bytes: Buffer) => void bytes.writeBigUInt64BE(value, at)
  const u64le = (at: number, value: bigint) => (bytes: Buffer) => void bytes.writeBigUInt64LE(value, at)
  const inFooters = (change: (bytes: Buffer) => void) => (bytes: Buffer) => {
    for (const footer of [bytes.subarray(0, 512), bytes.subarray(bytes.length - 512)]) {
      change(footer)
      footer.writeUInt32BE(vhdChecksum(footer), VHD_CHECKSUM_OFFSET)
    }
  }
  const inVhdx = (guidStart: string, change: (bytes: Buffer, at: number) => void) => (bytes: Buffer) => {
    const metadata = bytes.indexOf('metadata', 0, 'latin1')
    const entry = bytes.indexOf(Buffer.from(guidStart, 'hex'), metadata)
    change(bytes, metadata + bytes.readUInt32LE(entry + 16))
  }
  const lies: [what: string, format: string, change: (bytes: Buffer) => void, code: string][] = [
    ['a disk of 2^63 bytes', 'qcow2', u64(24, 2n ** 63n), 'C2M_DISK_TOO_LARGE'],
    ['clusters of 2^63 bytes', 'qcow2', u32(20, 63), 'C2M_DISK_DAMAGED'],
    ['4 G entries', 'qcow2', u32(36, 0xffffffff), 'C2M_DISK_DAMAGED'],
    ['no entries', 'qcow2', u32(36, 0), 'C2M_DISK_DAMAGED'],
    ['tables beyond its end', 'qcow2', u64(40, 2n ** 50n), 'C2M_DISK_TRUNCATED'],
    ['counts beyond its end', 'qcow2', u64(48, 2n ** 50n), 'C2M_DISK_TRUNCATED'],
    ['4 G clusters of counts', 'qcow2', u32(56, 0xffffffff), 'C2M_DISK_DAMAGED'],
    ['AES encryption', 'qcow2', u32(32, 1), 'C2M_DISK_ENCRYPTED'],
    ['LUKS encryption', 'qcow2', u32(32, 2), 'C2M_DISK_ENCRYPTED'],
    ['the mark of corruption', 'qcow2', u32(76, 2), 'C2M_DISK_DAMAGED'],
    ['an external data file', 'qcow2', u32(76, 4), 'C2M_DISK_REFERENCE'],
    ['features of the future', 'qcow2', u32(72, 1), 'C2M_DISK_UNSUPPORTED'],
    ['a name of 4 GiB', 'qcow2', (bytes) => (u64(8, 200n)(bytes), u32(16, 0xffffffff)(bytes)), 'C2M_DISK_DAMAGED'],
    ['a name beyond its end', 'qcow2', (bytes) => (u64(8, 2n ** 62n)(bytes), u32(16, 5)(bytes)), 'C2M_DISK_TRUNCATED'],
    ['a disk of 2^63 bytes', 'vdi', u64le(368, 2n ** 63n), 'C2M_DISK_TOO_LARGE'],
    ['too few blocks', 'vdi', u32le(384, 1), 'C2M_DISK_DAMAGED'],
    ['blocks of 4 GiB', 'vdi', u32le(376, 0xffffffff), 'C2M_DISK_UNSUPPORTED'],
    ['a parent', 'vdi', u32le(76, 4), 'C2M_DISK_UNSUPPORTED'],
    ['a map beyond its end', 'vdi', u32le(340, 0xfffffff0), 'C2M_DISK_TRUNCATED'],
    ['a disk of 2^63 bytes', 'vmdk', u64le(12, 2n ** 54n), 'C2M_DISK_TOO_LARGE'],
    ['no size, so that it passes for a descriptor', 'vmdk', u64le(12, 0n), 'C2M_DISK_DAMAGED'],
    ['grains of 2^63 bytes', 'vmdk', u64le(20, 2n ** 54n), 'C2M_DISK_DAMAGED'],
    ['4 G entries in a table', 'vmdk', u32le(44, 0xffffffff), 'C2M_DISK_DAMAGED'],
    ['a directory beyond its end', 'vmdk', u64le(56, 2n ** 40n), 'C2M_DISK_TRUNCATED'],
    ['a directory at an end that is none', 'vmdk', u64le(56, 2n ** 64n - 1n), 'C2M_DISK_TRUNCATED'],
    ['a disk of 2^63 bytes', 'vpc', inFooters(u64(48, 2n ** 63n)), 'C2M_DISK_TOO_LARGE'],
    ['a parent', 'vpc', inFooters(u32(60, 4)), 'C2M_DISK_UNSUPPORTED'],
    ['too few blocks', 'vpc', u32(512 + 28, 1), 'C2M_DISK_DAMAGED'],
    ['blocks of 3 bytes', 'vpc', u32(512 + 32, 3), 'C2M_DISK_DAMAGED'],
    ['a table beyond its end', 'vpc', u64(512 + 16, 2n ** 60n), 'C2M_DISK_TRUNCATED'],
    [
      'a parent',
      'vhdx',
      inVhdx('3767a1ca36fa434d', (bytes, at) => bytes.writeUInt32LE(2, at + 4)),
      'C2M_DISK_UNSUPPORTED',
    ],
    [
      'a disk of 2^63 bytes',
      'vhdx',
      inVhdx('2442a52f1bcd7648', (bytes, at) => bytes.writeBigUInt64LE(2n ** 63n, at)),
      'C2M_DISK_TOO_LARGE',
    ],
    ['4 G regions', 'vhdx', u32le(192 * 1024 + 8, 0xffffffff), 'C2M_DISK_DAMAGED'],
    ['a region beyond its end', 'vhdx', u64le(192 * 1024 + 32, 2n ** 60n), 'C2M_DISK_TRUNCATED'],
  ]
  it.each(lies)('with %s is refused (%s)', async (_, format, change, code) => {
    const path = await changed(`lie.${format}`, [format], change)
    await expect(openDisk(path)).rejects.toMatchObject({ code })
  })

  it('with tables without end, all in holes, is refused in time', async () => {
    const path = folder.file('endless.qcow2')
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', 'cluster_size=2M', path, '60T'])
    const entries = Math.ceil((60 * 1024 ** 4) / (2 * MIB * 262144))
    await truncate(path, 2 ** 40)
    await using file = await open(path, 'r+')
    const l1 = Number((await file.read(Buffer.alloc(8), 0, 8, 40)).buffer.readBigUInt64BE(0))
    const table = Buffer.alloc(entries * 8)
    for (let entry = 0; entry < entries; entry++) table.writeBigUInt64BE(BigInt(2 * MIB * (100 + entry)), entry * 8)
    await file.write(table, 0, table.length, l1)
    const started = performance.now()
    await using image = await ImageFile.open(path)
    await examineImage(image, 'qcow2')
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  it('stops when it is told to', async () => {
    await convert(raw, folder.file('abort.qcow2'), 'qcow2')
    const abort = new AbortController()
    await using image = await ImageFile.open(folder.file('abort.qcow2'), abort.signal)
    abort.abort()
    await expect(examineImage(image, 'qcow2')).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
  })

  it('that is only unclean or has snapshots is read, with a notice', async () => {
    const path = await changed('dirty.qcow2', ['qcow2', 'lazy_refcounts=on'], () => undefined)
    await run('qemu-img', ['snapshot', '-c', 'one', path])
    await using file = await open(path, 'r+')
    await file.write(Buffer.from([1]), 0, 1, 79)
    await using disk = await openDisk(path)
    expect(disk.notices.join()).toMatch(/not closed cleanly.*1 snapshots inside/)
    const { lost } = await readContents(disk.source)
    expect(lost).toBe(0)
  })
})
