import { formatUuid } from '@c2m/disk'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAcl, encodeAcl } from './acl.js'
import { descriptorChecksum } from './checksum.js'
import { crc16 } from './crc16.js'
import { CRC32C_START, crc32c, crc32cOfNumber } from './crc32c.js'
import { decodeDevice, encodeDevice, isStorableDevice } from './device-number.js'
import { halfMd4, hashSeedWords } from './directory-hash.js'
import {
  decodeExtent,
  decodeExtentHeader,
  decodeExtentIndex,
  encodeExtent,
  encodeExtentHeader,
  encodeExtentIndex,
} from './extent.js'
import { featureBits, featureNames, writableFeatures } from './features.js'
import { decodeGroupDescriptor, encodeGroupDescriptor } from './group-descriptor.js'
import { indexLimit } from './htree.js'
import { addBlocks, decodeInode, encodeInode, getSectors } from './inode.js'
import { encodeJournalSuperblock, isCleanJournal } from './journal.js'
import { decodeSuperblock, encodeSuperblock, SUPERBLOCK_MAGIC, type Superblock } from './superblock.js'
import { clampTime, decodeTime, encodeTime, isStorableTime } from './timestamp.js'
import { FEATURE_SETS } from './testing/options.js'
import { ACL } from './testing/tree.js'
import { parseUuid } from './uuid.js'
import { divideXattrs, encodeXattrBlock, finishXattrBlock, type StoredXattr } from './xattr.js'

const u16 = fc.nat(0xffff)
const u32 = fc.nat(0xffffffff)
const u48 = fc.nat(2 ** 48 - 1)

describe('checksums', () => {
  it('are those of the check strings', () => {
    // the published check value is of the inverted register
    expect((~crc32c(CRC32C_START, Buffer.from('123456789')) >>> 0).toString(16)).toBe('e3069283')
    expect(crc16(0, Buffer.from('123456789'))).toBe(0xbb3d)
  })

  it('can be continued anywhere, and over numbers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), u32, (bytes, at, seed) => {
        const cut = Math.min(at, bytes.length)
        expect(crc32c(crc32c(seed, bytes, 0, cut), bytes, cut)).toBe(crc32c(seed, bytes))
        const number = Buffer.alloc(4)
        number.writeUInt32LE(seed)
        expect(crc32cOfNumber(at, seed)).toBe(crc32c(at, number))
      }),
    )
  })

  it('of descriptors are none without the feature', () => {
    expect(descriptorChecksum({ kind: 'none', seed: 1, uuid: Buffer.alloc(16) }, 1, Buffer.alloc(32))).toBe(0)
  })
})

describe('times', () => {
  const time = fc.record({
    seconds: fc.integer({ min: -(2 ** 31), max: 15_032_385_535 }),
    nanoseconds: fc.nat(999_999_999),
  })

  it('come back as they were', () => {
    fc.assert(fc.property(time, (value) => void expect(decodeTime(encodeTime(value))).toEqual(value)))
  })

  it.each([
    [
      { seconds: -(2 ** 31) - 1, nanoseconds: 5 },
      { seconds: -(2 ** 31), nanoseconds: 0 },
    ],
    [
      { seconds: 15_032_385_536, nanoseconds: 5 },
      { seconds: 15_032_385_535, nanoseconds: 0 },
    ],
    [
      { seconds: Infinity, nanoseconds: 0 },
      { seconds: 15_032_385_535, nanoseconds: 0 },
    ],
    [
      { seconds: Number.NaN, nanoseconds: 0 },
      { seconds: 0, nanoseconds: 0 },
    ],
    [
      { seconds: 1, nanoseconds: 1e9 },
      { seconds: 1, nanoseconds: 999_999_999 },
    ],
    [
      { seconds: 1.5, nanoseconds: -1 },
      { seconds: 1, nanoseconds: 0 },
    ],
  ])('outside the range are drawn in: %j', (value, expected) => {
    expect(isStorableTime(value)).toBe(false)
    expect(clampTime(value)).toEqual(expected)
    expect(isStorableTime(clampTime(value))).toBe(true)
  })
})

describe('device numbers', () => {
  it('come back as they were', () => {
    const device = fc.record({ major: fc.nat(0xfff), minor: fc.nat(0xfffff) })
    fc.assert(fc.property(device, (value) => void expect(decodeDevice(encodeDevice(value))).toEqual(value)))
  })

  it('use the old form where both parts fit', () => {
    expect(encodeDevice({ major: 8, minor: 255 })).toEqual([0x8ff, 0])
    expect(encodeDevice({ major: 8, minor: 256 })).toEqual([0, 0x100800])
  })

  it('too large are refused', () => {
    expect(isStorableDevice({ major: 4096, minor: 0 })).toBe(false)
    expect(isStorableDevice({ major: 0, minor: 2 ** 20 })).toBe(false)
    expect(isStorableDevice({ major: -1, minor: 0 })).toBe(false)
  })
})

describe('features', () => {
  it.each(Object.entries(FEATURE_SETS))('%s come back by name', (_, names) => {
    expect(featureNames(featureBits(names)).sort()).toEqual([...names].sort())
  })

  it('that are unknown show their bit', () => {
    expect(featureNames({ compat: 0, incompat: 0x80000042, roCompat: 0 })).toEqual([
      'filetype',
      'extent',
      'incompat:0x80000000',
    ])
  })

  it.each([
    [['extent', 'filetype', 'large_file', 'no_such']],
    [['extent', 'filetype', 'large_file', 'constructor']],
    [['extent', 'filetype', 'large_file', 'bigalloc']],
    [['extent', 'filetype']],
    [['extent', 'filetype', 'large_file', 'resize_inode']],
    [['extent', 'filetype', 'large_file', 'metadata_csum_seed']],
  ])('%j are refused', (names) => {
    expect(() => writableFeatures(names)).toThrow(expect.objectContaining({ code: 'C2M_EXT4_OPTION', exitCode: 2 }))
  })

  it("know mke2fs's other names, and metadata_csum takes uninit_bg's place", () => {
    const features = writableFeatures(['extents', 'filetype', 'large_file', 'metadata_csum', 'uninit_bg'])
    expect([...features].sort()).toEqual(['extent', 'filetype', 'large_file', 'metadata_csum'])
  })
})

describe('superblock and descriptors', () => {
  it('come back as they were', () => {
    const bytes = (length: number): fc.Arbitrary<Buffer> =>
      fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array))
    const superblock: fc.Arbitrary<Superblock> = fc.record({
      inodes: u32,
      blocks: u48,
      reservedBlocks: u48,
      freeBlocks: u48,
      freeInodes: u32,
      firstDataBlock: u32,
      blockSize: fc.constantFrom(1024, 2048, 4096, 65536),
      blocksPerGroup: u32,
      inodesPerGroup: u32,
      time: fc.nat(2 ** 40 - 1),
      firstInode: u32,
      inodeSize: u16,
      group: u16,
      features: fc.constant(featureNames(featureBits(FEATURE_SETS.seeded))),
      uuid: bytes(16),
      label: fc.constantFrom(Buffer.from('root'), Buffer.from('sixteen bytes ok'), Buffer.alloc(0)),
      lastMounted: fc.constant(Buffer.from('/boot')),
      reservedDescriptorBlocks: u16,
      journalInode: u32,
      journalBackup: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(68, 7)),
      hashSeed: bytes(16),
      hashVersion: fc.nat(5),
      hashSign: fc.constantFrom(1, 2),
      descriptorSize: fc.constant(64),
      mountOptions: u32,
      extraInodeSize: u16,
      groupsPerFlex: fc.constantFrom(2, 16),
      kibWritten: u48,
      overhead: u32,
      checksumSeed: u32,
    })
    fc.assert(
      fc.property(superblock, (value) => {
        const encoded = encodeSuperblock(value)
        expect(encoded.readUInt16LE(0x38)).toBe(SUPERBLOCK_MAGIC)
        expect(decodeSuperblock(encoded)).toEqual(value)
      }),
    )
  })

  it.each([32, 64])('descriptors of %d bytes come back', (size) => {
    const wide = size === 64 ? u32 : u16
    const descriptor = fc.record({
      blockBitmap: u32,
      inodeBitmap: u32,
      inodeTable: u32,
      freeBlocks: u16,
      freeInodes: u16,
      directories: u16,
      flags: fc.nat(7),
      blockBitmapChecksum: wide,
      inodeBitmapChecksum: wide,
      unusedInodes: u16,
    })
    const rules = { kind: 'crc32c', seed: 5, uuid: Buffer.alloc(16) } as const
    fc.assert(
      fc.property(descriptor, fc.nat(1000), (value, group) => {
        const bytes = Buffer.alloc(size)
        encodeGroupDescriptor(bytes, group, value, rules)
        expect(decodeGroupDescriptor(bytes)).toEqual(value)
      }),
    )
  })

  it('an empty journal is clean', () => {
    const bytes = encodeJournalSuperblock({ blockSize: 4096, blocks: 1024, uuid: Buffer.alloc(16, 1) })
    expect(isCleanJournal(bytes)).toBe(true)
    bytes.writeUInt32BE(1, 0x1c)
    expect(isCleanJournal(bytes)).toBe(false)
    expect(isCleanJournal(Buffer.alloc(1024))).toBeUndefined()
  })
})

describe('inodes and extents', () => {
  it('inodes come back as they were', () => {
    const time = fc.record({ seconds: fc.integer({ min: -(2 ** 31), max: 2 ** 33 }), nanoseconds: fc.nat(999_999_999) })
    const fields = fc.record({
      type: fc.constantFrom(
        'file' as const,
        'directory' as const,
        'symlink' as const,
        'fifo' as const,
        'socket' as const,
        'block' as const,
        'character' as const,
      ),
      mode: fc.nat(0o7777),
      uid: u32,
      gid: u32,
      size: fc.maxSafeNat(),
      links: u16,
      flags: u32,
      atime: time,
      ctime: time,
      mtime: time,
      crtime: time,
    })
    fc.assert(
      fc.property(fields, (value) => {
        const inode = Buffer.alloc(256)
        encodeInode(inode, value)
        expect(decodeInode(inode)).toEqual(value)
      }),
    )
    expect(decodeInode(Buffer.alloc(256))).toBeUndefined()
  })

  it('count sectors beyond 32 bits', () => {
    const inode = Buffer.alloc(256)
    addBlocks(inode, 2 ** 30)
    addBlocks(inode, 1)
    expect(getSectors(inode)).toBe(2 ** 33 + 8)
  })

  it('extents come back as they were', () => {
    const node = Buffer.alloc(60)
    fc.assert(
      fc.property(u32, u48, fc.integer({ min: 1, max: 32_768 }), fc.nat(3), (logical, block, count, slot) => {
        encodeExtentHeader(node, { entries: 4, max: 4, depth: 1 })
        expect(decodeExtentHeader(node)).toEqual({ entries: 4, max: 4, depth: 1 })
        encodeExtent(node, slot, { logical, block, count })
        expect(decodeExtent(node, slot)).toEqual({ logical, block, count, unwritten: false })
        encodeExtentIndex(node, slot, { logical, child: block })
        expect(decodeExtentIndex(node, slot)).toEqual({ logical, child: block })
      }),
    )
    expect(decodeExtentHeader(Buffer.alloc(60))).toBeUndefined()
  })
})

describe('names', () => {
  it('hash differently as signed and as unsigned bytes', () => {
    const seed = hashSeedWords(Buffer.alloc(16))
    const name = Buffer.from('größe')
    expect(halfMd4(name, seed, true)).not.toBe(halfMd4(name, seed, false))
    expect(halfMd4(Buffer.from('plain'), seed, true)).toBe(halfMd4(Buffer.from('plain'), seed, false))
  })

  it('have room in an index as the kernel counts it', () => {
    expect([
      indexLimit('root', false),
      indexLimit('node', false),
      indexLimit('root', true),
      indexLimit('node', true),
    ]).toEqual([508, 511, 507, 510])
  })

  it('of file systems are UUIDs', () => {
    const text = '3c1f4e6a-58b1-4b7e-9c55-0d6a3f0e1b2c'
    expect(formatUuid(parseUuid(text, 'x'))).toBe(text)
    expect(() => parseUuid('3c1f', 'the UUID')).toThrow(expect.objectContaining({ code: 'C2M_EXT4_OPTION' }))
  })
})

describe('extended attributes', () => {
  it('access control lists lose the ids that mean nothing, and get them back', () => {
    const stored = encodeAcl(ACL)
    expect(stored?.toString('hex')).toBe(
      '01000000' + '01000600' + '02000400e8030000' + '04000400' + '10000400' + '20000000',
    )
    expect(decodeAcl(stored!)).toEqual(ACL)
  })

  it('refuse what is not a list', () => {
    for (const hex of ['', '02000000ff', '03000000', '0200000003000000ffffffff'])
      expect(encodeAcl(Buffer.from(hex, 'hex'))).toBeUndefined()
    for (const hex of ['', '02000000', '0100000001', '010000000200060000'])
      expect(decodeAcl(Buffer.from(hex, 'hex'))).toBeUndefined()
  })

  it('any bytes are a list that comes back, or none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const decoded = decodeAcl(Buffer.from(bytes))
        if (decoded !== undefined) expect(encodeAcl(decoded)).toEqual(Buffer.from(bytes))
      }),
    )
  })

  const attribute = (name: string, length: number): StoredXattr => ({
    index: 1,
    name: Buffer.from(name),
    value: Buffer.alloc(length, 1),
  })

  it('fill an inode to its last byte, then a block, then no more', () => {
    expect(divideXattrs([attribute('abcd', 68)])).toMatchObject({ inode: [{}], block: [] })
    expect(divideXattrs([attribute('abcd', 69)])).toMatchObject({ inode: [], block: [{}] })
    expect(divideXattrs([attribute('abcd', 4096 - 36 - 20)])).toMatchObject({ inode: [], block: [{}] })
    expect(divideXattrs([attribute('abcd', 4096 - 36 - 19)])).toBeUndefined()
  })

  it('stand in a block by index, length and name', () => {
    const divided = divideXattrs([
      attribute('bb', 100),
      attribute('c', 100),
      attribute('aa', 100),
      { ...attribute('z', 100), index: 0 },
    ])
    expect(divided?.block.map(({ name }) => name.toString())).toEqual(['z', 'c', 'aa', 'bb'])
  })

  it('blocks know where they lie', () => {
    const { block, head, tail } = encodeXattrBlock([attribute('abc', 5)])
    expect([head, tail]).toEqual([32 + 20, 8])
    finishXattrBlock(block, 10, 3, 99)
    const here = block.readUInt32LE(16)
    finishXattrBlock(block, 11, 3, 99)
    expect(block.readUInt32LE(16)).not.toBe(here)
    expect(block.readUInt32LE(4)).toBe(3)
  })
})
