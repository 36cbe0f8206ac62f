import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ALLOCATION_ID,
  chunk,
  exportInfo,
  fakeNbdServer,
  optionReply,
  properAnswer,
  simpleReply,
  u32,
  u64,
  type FakeAnswers,
} from '../testing/fake-nbd-server.js'
import { temporaryFolder } from '../testing/temporary.js'
import { connectNbd, type NbdClient } from './client.js'

const MIB = 1024 * 1024
const PROTOCOL = { code: 'C2M_NBD_PROTOCOL' }
const LOST = { code: 'C2M_NBD_LOST' }

async function talk<T>(answers: FakeAnswers, act: (client: NbdClient) => Promise<T>): Promise<T> {
  await using folder = await temporaryFolder()
  await using _ = await fakeNbdServer(folder.file('s'), answers)
  await using client = await connectNbd(folder.file('s'))
  return await act(client)
}

function readWith(reply: (request: { cookie: bigint; offset: number; length: number }) => Buffer | 'close') {
  return talk({ request: reply }, async (client) => {
    const target = Buffer.alloc(8, 0xee)
    await client.read(100, target)
    return target
  })
}

async function ranges(client: NbdClient, offset: number, length: number) {
  const found: [number, number][] = []
  for await (const part of client.data(offset, length)) found.push([part.offset, part.length])
  return found
}

describe('an NBD client', () => {
  it('fills memory from data and holes', async () => {
    const target = await readWith(({ cookie, offset }) =>
      Buffer.concat([
        chunk(cookie, 1, Buffer.concat([u64(offset), Buffer.from('abc')]), false),
        chunk(cookie, 2, Buffer.concat([u64(offset + 3), u32(4)]), false),
        chunk(cookie, 1, Buffer.concat([u64(offset + 7), Buffer.from('d')]), false),
        chunk(cookie, 0, Buffer.alloc(0)),
      ]),
    )
    expect(target.toString('latin1')).toBe('abc\0\0\0\0d')
  })

  it('takes replies in any order and pieces of any size, in place and through its scratch memory', async () => {
    const content = Buffer.from(Array.from({ length: MIB }, (_, index) => (index * 7) ^ (index >> 8)))
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(MIB - 1), fc.constantFrom(1, 100, 70_000, 300_000)), { minLength: 1, maxLength: 8 }),
        async (reads) => {
          const waiting: Buffer[] = []
          const request: FakeAnswers['request'] = ({ cookie, offset, length }) => {
            waiting.unshift(chunk(cookie, 1, Buffer.concat([u64(offset), content.subarray(offset, offset + length)])))
            return waiting.length === reads.length ? Buffer.concat(waiting) : Buffer.alloc(0)
          }
          await talk({ request }, async (client) => {
            await Promise.all(
              reads.map(async ([offset, length]) => {
                const target = Buffer.alloc(Math.min(length, MIB - offset))
                await client.read(offset, target)
                expect(target.equals(content.subarray(offset, offset + target.length))).toBe(true)
              }),
            )
          })
        },
      ),
      { numRuns: 20 },
    )
  })

  it('joins and cuts what it hears of holes', async () => {
    const extents = [10, 0, 20, 1, 5, 2, 7, 3, 8, 0, MIB, 0]
    const status: FakeAnswers['request'] = ({ cookie }) =>
      chunk(cookie, 5, Buffer.concat([u32(ALLOCATION_ID), ...extents.map(u32)]))
    expect(await talk({ request: status }, (client) => ranges(client, 50, 100))).toEqual([
      [50, 30],
      [92, 58],
    ])
    expect(await talk({ request: status }, (client) => ranges(client, 50, 0))).toEqual([])
  })

  it('never leaves the disk', async () => {
    await talk({}, async (client) => {
      expect(client.size).toBe(MIB)
      await expect(client.read(MIB, Buffer.alloc(1))).rejects.toMatchObject({ code: 'C2M_DISK_BOUNDS' })
      await expect(ranges(client, 1, MIB)).rejects.toMatchObject({ code: 'C2M_DISK_BOUNDS' })
    })
  })

  it('goes on after an error of one request', async () => {
    let first = true
    const request: FakeAnswers['request'] = ({ cookie, offset, length }) => {
      const error = chunk(cookie, 0x8001, Buffer.concat([u32(5), Buffer.from([0, 4]), Buffer.from('a\x1b[b')]))
      const data = chunk(cookie, 1, Buffer.concat([u64(offset), Buffer.alloc(length, 1)]))
      return first ? ((first = false), error) : data
    }
    await talk({ request }, async (client) => {
      const target = Buffer.alloc(4)
      await expect(client.read(8, target)).rejects.toMatchObject({
        code: 'C2M_DISK_READ',
        message: '4 bytes at offset 8 of the disk cannot be read: input/output error: a [b',
      })
      await client.read(8, target)
      expect(target.equals(Buffer.alloc(4, 1))).toBe(true)
    })
  })

  it('ends what is under way when the connection breaks', async () => {
    await expect(readWith(() => 'close')).rejects.toMatchObject(LOST)
    await talk({ request: () => Buffer.alloc(0) }, async (client) => {
      const reading = client.read(0, Buffer.alloc(1))
      await Promise.all([client[Symbol.asyncDispose](), expect(reading).rejects.toMatchObject(LOST)])
      await expect(client.read(0, Buffer.alloc(1))).rejects.toMatchObject(LOST)
    })
  })
})

describe('a server that breaks the protocol', () => {
  const handshakes: [what: string, answers: FakeAnswers][] = [
    ['greets otherwise', { greeting: Buffer.from('NBDMAGIC\0\0\x42\x02\x81\x86\x12\x53\0\0') }],
    ['is of the old style', { greeting: Buffer.from('NBDMAGICIHAVEOPT\0\0') }],
    [
      'refuses structured replies',
      { option: (option) => (option === 8 ? [[0x80000001, Buffer.alloc(0)]] : properAnswer(option)) },
    ],
    ['knows no holes', { option: (option) => (option === 10 ? [[1, Buffer.alloc(0)]] : properAnswer(option)) }],
    [
      'has another context',
      {
        option: (option) =>
          option === 10
            ? [
                [4, Buffer.from('\0\0\0\x01base:other')],
                [1, Buffer.alloc(0)],
              ]
            : properAnswer(option),
      },
    ],
    ['does not tell the size', { option: (option) => (option === 7 ? [[1, Buffer.alloc(0)]] : properAnswer(option)) }],
    [
      'allows writing',
      {
        option: (option) =>
          option === 7
            ? [
                [3, exportInfo(MIB, 1)],
                [1, Buffer.alloc(0)],
              ]
            : properAnswer(option),
      },
    ],
    [
      'serves 2^63 bytes',
      {
        option: (option) =>
          option === 7
            ? [
                [3, exportInfo(2 ** 63, 3)],
                [1, Buffer.alloc(0)],
              ]
            : properAnswer(option),
      },
    ],
    ['answers another option', { option: () => optionReply(99, 1, Buffer.alloc(0)) }],
    ['answers without magic', { option: () => Buffer.alloc(20) }],
    [
      'answers endlessly',
      { option: (option) => Array.from({ length: 1000 }, () => [2, Buffer.alloc(option)] as const) },
    ],
    ['answers at length', { option: (option) => optionReply(option, 1, Buffer.alloc(0), 0xffffffff) }],
  ]
  it.each(handshakes)('and %s', async (_, answers) => {
    await expect(talk(answers, async () => undefined)).rejects.toMatchObject(PROTOCOL)
  })

  type Reply = (request: { cookie: bigint; offset: number; length: number }) => Buffer
  const data = (offset: number, length: number) => Buffer.concat([u64(offset), Buffer.alloc(length)])
  const hole = (offset: number, length: number) => Buffer.concat([u64(offset), u32(length)])
  const replies: [what: string, reply: Reply][] = [
    ['sends rubbish', () => Buffer.alloc(16, 1)],
    ['answers what was not asked', () => chunk(999n, 1, data(100, 8))],
    [
      'answers twice',
      ({ cookie }) => Buffer.concat([chunk(cookie, 1, data(100, 4), false), chunk(cookie, 0, Buffer.alloc(0))]),
    ],
    ['sends too much', ({ cookie }) => chunk(cookie, 1, data(100, 9))],
    ['sends a piece of 4 GiB', ({ cookie }) => chunk(cookie, 1, data(100, 8), true, 0xffffffff)],
    ['sends from elsewhere', ({ cookie }) => chunk(cookie, 1, data(99, 8))],
    ['sends from the far end', ({ cookie }) => chunk(cookie, 1, Buffer.alloc(16, 0xff))],
    ['sends nothing', ({ cookie }) => chunk(cookie, 1, data(100, 0))],
    ['sends a hole too large', ({ cookie }) => chunk(cookie, 2, hole(100, 9))],
    ['sends a hole of no size', ({ cookie }) => chunk(cookie, 2, hole(100, 0))],
    ['sends half a hole', ({ cookie }) => chunk(cookie, 2, u64(100))],
    ['sends a part only', ({ cookie }) => chunk(cookie, 1, data(100, 7))],
    ['sends an empty chunk that is not the last', ({ cookie }) => chunk(cookie, 0, Buffer.alloc(0), false)],
    ['sends an empty chunk with content', ({ cookie }) => chunk(cookie, 0, u32(0))],
    ['sends a status instead', ({ cookie }) => chunk(cookie, 5, Buffer.alloc(12))],
    ['sends an unknown chunk', ({ cookie }) => chunk(cookie, 77, Buffer.alloc(12))],
    ['sends a simple reply', ({ cookie }) => simpleReply(cookie, 0)],
    ['sends an error that is cut', ({ cookie }) => chunk(cookie, 0x8001, Buffer.from([0, 0, 0, 5, 0, 9, 1]))],
    ['sends an error at length', ({ cookie }) => chunk(cookie, 0x8001, Buffer.alloc(8), true, 0x10000000)],
  ]
  it.each(replies)('and %s', async (_, reply) => {
    await expect(readWith(reply)).rejects.toMatchObject(PROTOCOL)
  })

  const statuses: [what: string, payload: Buffer][] = [
    ['of another context', Buffer.concat([u32(ALLOCATION_ID + 1), u32(9), u32(0)])],
    ['of no length', Buffer.concat([u32(ALLOCATION_ID), u32(0), u32(0)])],
    ['without extents', u32(ALLOCATION_ID)],
    ['that is cut', Buffer.concat([u32(ALLOCATION_ID), u32(9)])],
  ]
  it.each(statuses)('and sends a status %s', async (_, payload) => {
    const request: FakeAnswers['request'] = ({ cookie }) => chunk(cookie, 5, payload)
    await expect(talk({ request }, (client) => ranges(client, 0, 100))).rejects.toMatchObject(PROTOCOL)
  })

  it('with any bytes at all never hangs the client', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 20, maxLength: 200 }), fc.boolean(), async (bytes, magic) => {
        const reply = Buffer.from(bytes)
        if (magic) reply.writeUInt32BE(0x668e33ef, 0)
        const reading = talk({ request: () => reply, once: true }, (client) => client.read(0, Buffer.alloc(8)))
        const outcome = await reading.then(
          () => 'read',
          (error: unknown) => (error as { code?: unknown }).code,
        )
        expect(outcome).toMatch(/^C2M_(NBD_PROTOCOL|NBD_LOST|DISK_READ)$/)
      }),
      { numRuns: 100 },
    )
  })
})
