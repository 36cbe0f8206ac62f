import { createServer, type Server, type Socket } from 'node:net'

/** What the fake answers, all overridable, so that a test can break one thing. */
export interface FakeAnswers {
  greeting?: Buffer
  /** Replies to an option: list of [type, data]. */
  option?: (option: number, data: Buffer) => readonly (readonly [type: number, data: Buffer])[] | Buffer
  /** Ends the connection after the first reply. */
  once?: boolean
  /** Bytes to send for a request; 'close' ends the connection. */
  request?: (request: { command: number; cookie: bigint; offset: number; length: number }) => Buffer | 'close'
}

/** A fake of an NBD server, for what a real one never sends. The real one is judged in the integration tests. */
export async function fakeNbdServer(path: string, answers: FakeAnswers): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    void serve(socket, answers)
      .catch(() => undefined)
      .finally(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const ALLOCATION_ID = 7

async function serve(socket: Socket, answers: FakeAnswers): Promise<void> {
  const received = socket.iterator({ destroyOnReturn: false })
  let pending = Buffer.alloc(0)
  const take = async (length: number): Promise<Buffer> => {
    while (pending.length < length) {
      const next = (await received.next()) as IteratorResult<Buffer, undefined>
      if (next.done === true) throw new Error('closed')
      pending = Buffer.concat([pending, next.value])
    }
    const taken = pending.subarray(0, length)
    pending = pending.subarray(length)
    return taken
  }
  socket.write(answers.greeting ?? Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), Buffer.from([0, 3])]))
  await take(4)
  for (let option = 0; option !== 7;) {
    const head = await take(16)
    option = head.readUInt32BE(8)
    const data = await take(head.readUInt32BE(12))
    const reply = answers.option?.(option, data) ?? properAnswer(option)
    socket.write(Buffer.isBuffer(reply) ? reply : Buffer.concat(reply.map((one) => optionReply(option, ...one))))
  }
  for (;;) {
    const head = await take(28)
    const request = {
      command: head.readUInt16BE(6),
      cookie: head.readBigUInt64BE(8),
      offset: Number(head.readBigUInt64BE(16)),
      length: head.readUInt32BE(24),
    }
    if (request.command === 2) return
    const reply = answers.request?.(request) ?? Buffer.alloc(0)
    if (reply === 'close') return
    socket.write(reply)
    if (answers.once === true) return void (await new Promise<void>((resolve) => socket.end(resolve)))
  }
}

/** A read-only export of 1 MiB that tells its allocation. */
export function properAnswer(option: number): readonly (readonly [number, Buffer])[] {
  const ack = [1, Buffer.alloc(0)] as const
  if (option === 10) return [[4, Buffer.concat([u32(ALLOCATION_ID), Buffer.from('base:allocation')])], ack]
  if (option === 7) return [[3, exportInfo(1024 * 1024, 3)], ack]
  return [ack]
}

export function exportInfo(size: number, flags: number): Buffer {
  const info = Buffer.alloc(12)
  info.writeBigUInt64BE(BigInt(size), 2)
  info.writeUInt16BE(flags, 10)
  return info
}

export function optionReply(option: number, type: number, data: Buffer, length = data.length): Buffer {
  const head = Buffer.alloc(20)
  head.writeBigUInt64BE(0x0003e889045565a9n, 0)
  head.writeUInt32BE(option, 8)
  head.writeUInt32BE(type, 12)
  head.writeUInt32BE(length, 16)
  return Buffer.concat([head, data])
}

export function chunk(cookie: bigint, type: number, payload: Buffer, done = true, length = payload.length): Buffer {
  const head = Buffer.alloc(20)
  head.writeUInt32BE(0x668e33ef, 0)
  head.writeUInt16BE(done ? 1 : 0, 4)
  head.writeUInt16BE(type, 6)
  head.writeBigUInt64BE(cookie, 8)
  head.writeUInt32BE(length, 16)
  return Buffer.concat([head, payload])
}

export function simpleReply(cookie: bigint, error: number): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt32BE(0x67446698, 0)
  head.writeUInt32BE(error, 4)
  head.writeBigUInt64BE(cookie, 8)
  return head
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
