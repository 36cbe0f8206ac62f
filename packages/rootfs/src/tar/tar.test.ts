import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeName } from '../name/bytes.js'
import { bodyOfBytes, codeOf, collect, inPieces, member, readAll, readBody } from '../testing/fixtures.js'
import { aclFromText, aclToText, modeWithAcl } from './acl.js'
import { BLOCK, encodeHeader, padding } from './header.js'
import type { TarEntry, TarInput } from './member.js'
import { encodePaxRecords, parsePaxRecords, type PaxRecord } from './pax.js'
import { readTar } from './stream.js'
import { formatPaxTime, parsePaxTime } from './timestamp.js'
import { parseNumber } from './number.js'
import { writeTar } from './writer.js'

const name = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 160 }),
    fc.stringMatching(/^[a-z/]{1,120}[a-z]$/).map((s) => Buffer.from(s)),
  )
  .map((raw) => decodeName(raw).replace(/\0/g, '0').replace(/\/+$/, 'e'))
const time = fc.record({
  seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  nanoseconds: fc.constantFrom(0, 1, 500_000_000, 999_999_999),
})
const id = fc.oneof(fc.nat(), fc.integer({ min: 2 ** 31, max: 2 ** 32 - 1 }))
const xattrs = fc
  .array(fc.tuple(fc.stringMatching(/^user\.[a-z=%.\n]{1,20}$/), fc.uint8Array({ maxLength: 30 })), { maxLength: 3 })
  .map((pairs) => new Map(pairs))
const common = { path: name, mode: fc.nat(0o7777), uid: id, gid: id, mtime: time, xattrs }
const entries = fc.oneof(
  fc.record({ ...common, type: fc.constantFrom('file' as const), content: fc.uint8Array({ maxLength: 1500 }) }),
  fc.record({ ...common, type: fc.constantFrom('directory' as const, 'fifo' as const) }),
  fc.record({ ...common, type: fc.constantFrom('symlink' as const), linkTarget: name }),
  fc.record({
    ...common,
    type: fc.constantFrom('character' as const, 'block' as const),
    device: fc.record({ major: fc.nat(4095), minor: fc.nat(1048575) }),
  }),
)

describe('tar', () => {
  it('gives the same bytes from memory that it uses again', async () => {
    const content = Buffer.from(Array.from({ length: 2_500_000 }, (_, index) => index % 251))
    const members = () => [
      member('large', { content }),
      { ...member('holes'), size: 1_500_000, body: bodyOfBytes(content.subarray(0, 700)) },
      member('small', { content: 'x' }),
    ]
    const own = await collect(writeTar(members()))
    expect((await collect(writeTar(members(), { reuseMemory: true }))).equals(own)).toBe(true)
  })

  it('gives back what was written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entries, { maxLength: 4 }),
        fc.integer({ min: 1, max: 3000 }),
        async (inputs, piece) => {
          const archive = await collect(writeTar(inputs.map(asInput)))
          expect(archive.length % BLOCK).toBe(0)
          let index = 0
          for await (const read of readTar(inPieces(archive, piece))) {
            const input = inputs[index++]!
            const { content = new Uint8Array(0), ...fields } = input as typeof input & { content?: Uint8Array }
            const path = read.type === 'directory' ? read.path.slice(0, -1) : read.path
            expect({ ...read, path }).toMatchObject({ ...fields, size: content.length })
            expect([...(await readBody(read.body, read.size))]).toEqual([...content])
          }
          expect(index).toBe(inputs.length)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('writes the same bytes every time, and no PAX header without need', async () => {
    const inputs = (): TarInput[] => [member('etc/'), member('etc/passwd', { content: 'root' })]
    const archive = await collect(writeTar(inputs()))
    expect(archive.equals(await collect(writeTar(inputs())))).toBe(true)
    expect(archive.length).toBe(5 * BLOCK)
  })

  it('fills holes with zeros or stores them as holes', async () => {
    const body = async function* () {
      yield { offset: 4096, data: Buffer.from('middle') }
      yield { offset: 9000, data: Buffer.from('end') }
    }
    const input = { ...member('s'), size: 10_000 }
    const plain = await collect(writeTar([{ ...input, body: body() }]))
    const sparse = [
      { offset: 4096, length: 6 },
      { offset: 9000, length: 3 },
    ]
    const small = await collect(writeTar([{ ...input, body: body(), sparse }]))
    expect(small.length).toBeLessThan(plain.length / 2)
    expect(await readAll(small)).toEqual(await readAll(plain))
  })

  it('refuses a body that is larger than said, and fills one that is smaller', async () => {
    const long = { ...member('f'), size: 3, body: bodyOfBytes(Buffer.from('four')) }
    expect(await codeOf(collect(writeTar([long])))).toBe('C2M_BODY_SIZE')
    const short = { ...member('f'), size: 3, body: bodyOfBytes(Buffer.from('x')) }
    expect(await readAll(await collect(writeTar([short])))).toEqual([{ path: 'f', content: 'x\0\0' }])
  })

  it('skips bodies that nobody reads, and refuses those asked for too late', async () => {
    const archive = await collect(writeTar([member('a', { content: 'A' }), member('b', { content: 'B' })]))
    const members = []
    for await (const read of readTar(inPieces(archive, 100))) members.push(read)
    expect(members.map((read) => read.path)).toEqual(['a', 'b'])
    expect(await codeOf(readBody(members[0]!.body, 1))).toBe('C2M_BODY_PASSED')
  })
})

function asInput(fields: Omit<TarEntry, 'size'> & { content?: Uint8Array }): TarInput {
  return { ...fields, size: fields.content?.length ?? 0, body: bodyOfBytes(fields.content ?? new Uint8Array(0)) }
}

describe('PAX', () => {
  it('times keep their nanoseconds on both sides of 1970', () => {
    expect(parsePaxTime('-1.5')).toEqual({ seconds: -2, nanoseconds: 500_000_000 })
    expect(parsePaxTime('-0.25')).toEqual({ seconds: -1, nanoseconds: 750_000_000 })
    expect(parsePaxTime('-0.0000000001')).toEqual({ seconds: -1, nanoseconds: 999_999_999 })
    expect(parsePaxTime('4102444800.0000000019')).toEqual({ seconds: 4102444800, nanoseconds: 1 })
    expect(parsePaxTime('-0')).toEqual({ seconds: 0, nanoseconds: 0 })
    expect(formatPaxTime({ seconds: -2, nanoseconds: 500_000_000 })).toBe('-1.5')
    expect(['', '.5', '1e3', 'now', '9'.repeat(30)].map(parsePaxTime)).toEqual(Array(5).fill(undefined))
    fc.assert(
      fc.property(time, (t) => {
        expect(parsePaxTime(formatPaxTime(t))).toEqual(t)
      }),
    )
  })

  it('records keep any value, and their length counts itself', () => {
    const record = fc.tuple(fc.stringMatching(/^[a-zA-Z.]{1,30}$/), fc.uint8Array({ maxLength: 1100 }))
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const read = parsePaxRecords(encodePaxRecords(records))?.map(([key, value]) => [key, [...value]])
        expect(read).toEqual(records.map(([key, value]) => [key, [...value]]))
      }),
    )
    expect(Buffer.from(encodePaxRecords([['k', Buffer.alloc(93)]])).toString()).toMatch(/^99 k=/)
    expect(Buffer.from(encodePaxRecords([['k', Buffer.alloc(94)]])).toString()).toMatch(/^101 k=/)
  })

  it.each(['5 a=b', '6 a=b\n7 a=b\n', '0 a=b\n', '-6 a=b\n', '6 ab \n', '4 =\n', '999999999999 a=b\n', 'a=b\n'])(
    'records like %j are refused',
    (text) => expect(parsePaxRecords(Buffer.from(text))).toBeUndefined(),
  )
})

describe('header numbers', () => {
  it.each([
    ['0000644\0', 0o644],
    ['   644 \0', 0o644],
    ['\0\0\0\0\0\0\0\0', 0],
    ['77777777', 0o77777777],
    ['\x80\0\0\0\0\0\0\x2a', 42],
    ['\x80\0\0\0\x80\0\0\0', 2 ** 31],
    ['\xff\xff\xff\xff\xff\xff\xff\xfe', -2],
    ['0000888\0', undefined],
    ['-000001\0', undefined],
    ['\x80\x7f\xff\xff\xff\xff\xff\xff', undefined],
  ])('%j is %s', (field, value) => expect(parseNumber(Buffer.from(field, 'latin1'))).toBe(value))
})

describe('ACL text', () => {
  it('becomes the attribute that the kernel knows', () => {
    const text = 'user::rwx\nuser:1234:r-x\ngroup::r-x\nmask::r-x\nother::r-x\n'
    const hex =
      '02000000' +
      '01000700ffffffff' +
      '02000500d2040000' +
      '04000500ffffffff' +
      '10000500ffffffff' +
      '20000500ffffffff'
    expect(Buffer.from(aclFromText(text, 'access') as Uint8Array).toString('hex')).toBe(hex)
    const star = 'user::rwx,group::r-x,other::r-x,user:lisa:r-x:1234,mask::r-x'
    expect(Buffer.from(aclFromText(star, 'access') as Uint8Array).toString('hex')).toBe(hex)
    expect(aclFromText('user::rw-,group::r--,other::r--', 'access')).toBe('nothing')
    expect(aclFromText('user::rw-,user:lisa:r--,group::r--,mask::r--,other::r--', 'access')).toBeUndefined()
    expect(aclFromText('nonsense', 'access')).toBeUndefined()
    expect(modeWithAcl(0o4644, Buffer.from(hex, 'hex'))).toBe(0o4755)
    expect(aclToText(Buffer.from(hex, 'hex'))).toBe('user::rwx,user:1234:r-x,group::r-x,mask::r-x,other::r-x')
    expect(aclToText(Buffer.from(hex.slice(2), 'hex'))).toBeUndefined()
  })
})

/** Archives that no writer of ours makes, block by block. */
describe('foreign archives', () => {
  const fields = { mode: 0o644, uid: 0, gid: 0, mtime: 0, size: 0 }
  const end = Buffer.alloc(2 * BLOCK)

  function raw(type: string, fileName: string, body: string | Uint8Array = '', more: object = {}): Buffer {
    const bytes = Buffer.from(body)
    const header = encodeHeader({ ...fields, type, name: fileName, size: bytes.length, ...more })
    return Buffer.concat([header, bytes, Buffer.alloc(padding(bytes.length))])
  }

  function pax(...records: readonly (readonly [string, string | Uint8Array])[]): Buffer {
    return raw('x', 'pax', encodePaxRecords(records.map(([key, value]): PaxRecord => [key, Buffer.from(value)])))
  }

  function archive(...parts: Uint8Array[]): Buffer {
    return Buffer.concat([...parts, end])
  }

  function withChecksum(block: Buffer): Buffer {
    block.fill(0x20, 148, 156)
    const sum = block.subarray(0, BLOCK).reduce((total, byte) => total + byte, 0)
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    return block
  }

  it('refuses more global records than anybody writes, since each member is looked at with all of them', async () => {
    const flood = Array.from({ length: 300 }, (_, index) =>
      raw('g', 'g', encodePaxRecords([[`k${index}`, Buffer.from('v')]])),
    )
    expect(await codeOf(readAll(archive(...flood, raw('0', 'f'))))).toBe('C2M_TAR_PAX')
  })

  it('stores no more holes as zeros than an image may have, and says so before it begins', async () => {
    const huge = member('huge', { size: 2 ** 40 })
    expect(await codeOf(collect(writeTar([huge])))).toBe('C2M_TAR_HOLES')
    expect((await collect(writeTar([{ ...huge, sparse: [] }]))).length).toBeLessThan(10_000)
  })

  it('GNU long names and links', async () => {
    const long = 'n'.repeat(300)
    const bytes = archive(
      raw('L', '././@LongLink', `${long}\0`),
      raw('K', '././@LongLink', `${long}\0`),
      raw('2', 'short', '', { linkname: 'x' }),
    )
    for await (const read of readTar(inPieces(bytes, 512))) {
      expect(read).toMatchObject({ path: long, linkTarget: long, type: 'symlink', headerOffset: 0 })
    }
  })

  it('v7: no magic, directories by a slash', async () => {
    const dir = raw('\0', 'd/')
    dir.fill(0, 257, 265)
    const file = raw('\0', 'd/f', 'x')
    file.fill(0, 257, 265)
    const types: string[] = []
    for await (const read of readTar(inPieces(archive(withChecksum(dir), withChecksum(file)), 512)))
      types.push(read.type)
    expect(types).toEqual(['directory', 'file'])
  })

  it('global headers, and records that take them back', async () => {
    const global = raw(
      'g',
      'g',
      encodePaxRecords([
        ['uid', Buffer.from('7')],
        ['SCHILY.xattr.user.g', Buffer.from('v')],
      ]),
    )
    const bytes = archive(global, raw('0', 'a'), pax(['uid', '']), raw('0', 'b'))
    const uids: number[] = []
    for await (const read of readTar(inPieces(bytes, 512))) {
      uids.push(read.uid)
      expect(read.xattrs.get('user.g')).toEqual(new Uint8Array(Buffer.from('v')))
    }
    expect(uids).toEqual([7, 0])
  })

  it('attributes of libarchive, which are base64 under an encoded name', async () => {
    const bytes = archive(
      pax(['LIBARCHIVE.xattr.user.a%3Db', Buffer.from('\0=\n\x80', 'latin1').toString('base64').replace(/=+$/, '')]),
      raw('0', 'f'),
    )
    for await (const read of readTar(inPieces(bytes, 512))) {
      expect(read.xattrs).toEqual(new Map([['user.a=b', new Uint8Array([0, 0x3d, 0x0a, 0x80])]]))
    }
  })

  it('sparse maps of PAX formats 0.0 and 0.1', async () => {
    const size: [string, string] = ['GNU.sparse.size', '20']
    const zero = pax(
      size,
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.offset', '2'],
      ['GNU.sparse.numbytes', '3'],
      ['GNU.sparse.offset', '10'],
      ['GNU.sparse.numbytes', '2'],
    )
    const one = pax(size, ['GNU.sparse.name', 'real'], ['GNU.sparse.map', '2,3,10,2'])
    const content = '\0\0abc' + '\0'.repeat(5) + 'de' + '\0'.repeat(8)
    expect(await readAll(archive(zero, raw('0', 'f', 'abcde'), one, raw('0', 'x', 'abcde')))).toEqual([
      { path: 'f', content },
      { path: 'real', content },
    ])
  })

  it('a signed checksum, garbage after the end, no end at all', async () => {
    const signed = raw('0', 'gr\xfcn')
    signed.fill(0x20, 148, 156)
    const sum = signed.subarray(0, BLOCK).reduce((total, byte) => total + (byte > 127 ? byte - 256 : byte), 0)
    signed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    expect(await readAll(archive(signed, end, Buffer.from('garbage')))).toHaveLength(1)
    expect(await readAll(raw('0', 'f', 'x'))).toEqual([{ path: 'f', content: 'x' }])
    expect(await readAll(Buffer.alloc(0))).toEqual([])
  })

  const huge = raw('0', 'f')
  Buffer.from([0x80, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).copy(huge, 124)
  const negative = raw('0', 'f')
  negative.fill(0xff, 124, 136)
  const big = raw('x', 'pax')
  big.write('00077777777\0', 124, 'latin1')
  const badSum = raw('0', 'f')
  badSum[0]! ^= 1
  const sparse = (map: string, size = '20'): Buffer =>
    archive(pax(['GNU.sparse.size', size], ['GNU.sparse.map', map]), raw('0', 'f', 'abcde'))

  it.each([
    ['bad checksum', archive(badSum), 'C2M_TAR_HEADER'],
    ['no archive', Buffer.from('\x1f\x8b'.padEnd(1024, 'x'), 'latin1'), 'C2M_TAR_HEADER'],
    ['cut in a header', raw('0', 'f').subarray(0, 300), 'C2M_TAR_TRUNCATED'],
    ['cut in a body', raw('0', 'f', 'x'.repeat(600)).subarray(0, 1000), 'C2M_TAR_TRUNCATED'],
    ['cut after a PAX header', pax(['uid', '1']), 'C2M_TAR_TRUNCATED'],
    ['a member after one zero block', Buffer.concat([Buffer.alloc(BLOCK), raw('0', 'f')]), 'C2M_TAR_HEADER'],
    ['an absurd PAX size', archive(withChecksum(big)), 'C2M_TAR_PAX'],
    ['a malformed PAX record', archive(raw('x', 'p', '9 uid=1\n'), raw('0', 'f')), 'C2M_TAR_PAX'],
    ['an overflowing size', archive(withChecksum(huge)), 'C2M_TAR_NUMBER'],
    ['a negative size', archive(withChecksum(negative)), 'C2M_TAR_NUMBER'],
    ['a negative PAX size', archive(pax(['size', '-1']), raw('0', 'f')), 'C2M_TAR_NUMBER'],
    ['an overflowing PAX size', archive(pax(['size', '9007199254740991']), raw('0', 'f')), 'C2M_TAR_NUMBER'],
    ['a uid of 33 bits', archive(pax(['uid', '4294967296']), raw('0', 'f')), 'C2M_TAR_NUMBER'],
    ['a time that is none', archive(pax(['mtime', 'now']), raw('0', 'f')), 'C2M_TAR_NUMBER'],
    ['NUL in a PAX path', archive(pax(['path', 'a\0b']), raw('0', 'f')), 'C2M_TAR_NAME'],
    ['NUL in a long name', archive(raw('L', 'L', 'a\0b\0'), raw('0', 'f')), 'C2M_TAR_NAME'],
    ['a link to nothing', archive(raw('2', 'l')), 'C2M_TAR_NAME'],
    ['a continued volume', archive(raw('M', 'f')), 'C2M_TAR_TYPE'],
    ['overlapping runs', sparse('0,3,2,2'), 'C2M_TAR_SPARSE'],
    ['runs beyond the end', sparse('0,3,19,2'), 'C2M_TAR_SPARSE'],
    ['more runs than bytes', sparse('0,3,10,5'), 'C2M_TAR_SPARSE'],
    ['runs that are no numbers', sparse('0,x'), 'C2M_TAR_SPARSE'],
  ])('%s is an error', async (_, bytes, code) => expect(await codeOf(readAll(bytes, 700))).toBe(code))

  it('any damage ends in one clear error or in an archive, never otherwise', async () => {
    const sound = archive(
      pax(['mtime', '1.5'], ['SCHILY.xattr.user.a', 'b']),
      raw('0', 'f', 'x'.repeat(600)),
      raw('5', 'd/'),
    )
    const damage = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(sound.length), async (changes, length) => {
        const bytes = Buffer.from(sound.subarray(0, length))
        for (const [at, value] of changes) if (at < length) bytes[at] = value
        expect(await codeOf(readAll(bytes, 512))).toMatch(/^C2M_TAR_|^no error/)
      }),
      { numRuns: 300 },
    )
  })
})
