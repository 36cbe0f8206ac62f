import { C2mError } from '@c2m/process'
import { protocolError } from './errors.js'
import type { Conversation } from './intake.js'
import { Command, REPLY_DONE, REPLY_ERROR, ReplyType, SIMPLE_REPLY_MAGIC, STRUCTURED_REPLY_MAGIC } from './protocol.js'
import type { Request, Requests } from './requests.js'

const MAX_ERROR_PAYLOAD = 8 * 1024
const MAX_STATUS_PAYLOAD = 4 * 1024 * 1024
/** errno values of the protocol ("Error values"). */
const ERRORS: Readonly<Record<number, string>> = {
  1: 'not permitted',
  5: 'input/output error',
  12: 'out of memory',
  22: 'invalid argument',
  28: 'no space left',
  75: 'value too large',
  95: 'not supported',
  108: 'the server is shutting down',
}

/**
 * Receives replies for ever; data goes straight to where each request wants it. The chunks of a reply must come in
 * rising order, as qemu-nbd sends them.
 * @throws C2M_NBD_PROTOCOL when the server says anything that cannot be
 */
export function* receiveReplies(requests: Requests, allocationContext: number): Conversation {
  const head = Buffer.alloc(16)
  const lengthField = Buffer.alloc(4)
  for (;;) {
    yield head
    const magic = head.readUInt32BE(0)
    const cookie = head.readBigUInt64BE(8)
    if (magic === SIMPLE_REPLY_MAGIC) {
      const request = requests.find(cookie)
      // with structured replies, a simple one cannot carry data
      const error = head.readUInt32BE(4)
      if (error === 0) throw protocolError('sent a reply of the wrong kind')
      request.error = readError(request, error, '')
      requests.finish(cookie)
      continue
    }
    if (magic !== STRUCTURED_REPLY_MAGIC) throw protocolError('sent what is no reply')
    yield lengthField
    const request = requests.find(cookie)
    const done = (head.readUInt16BE(4) & REPLY_DONE) !== 0
    const chunk = { type: head.readUInt16BE(6), length: lengthField.readUInt32BE(0) }
    if (chunk.type === ReplyType.none) {
      if (chunk.length !== 0 || !done) throw protocolError('sent an empty chunk that is none')
    } else if ((chunk.type & REPLY_ERROR) !== 0) {
      yield* receiveError(request, chunk.length)
    } else if (chunk.type === ReplyType.data && request.command === Command.read) {
      yield* receiveData(request, chunk.length)
    } else if (chunk.type === ReplyType.hole && request.command === Command.read) {
      yield* receiveHole(request, chunk.length)
    } else if (chunk.type === ReplyType.blockStatus && request.command === Command.blockStatus) {
      yield* receiveStatus(request, chunk.length, allocationContext)
    } else {
      throw protocolError(`sent a chunk of type ${chunk.type}, which was not asked for`)
    }
    if (done) requests.finish(cookie)
  }
}

function* receiveData(request: Request, payload: number): Conversation {
  if (payload <= 8) throw protocolError(`sent a data chunk of ${payload} bytes`)
  const offset = Buffer.alloc(8)
  yield offset
  const part = nextPart(request, offset.readBigUInt64BE(0), payload - 8)
  yield part
  request.filled += part.length
}

function* receiveHole(request: Request, payload: number): Conversation {
  if (payload !== 12) throw protocolError(`sent a hole chunk of ${payload} bytes`)
  const hole = Buffer.alloc(12)
  yield hole
  const part = nextPart(request, hole.readBigUInt64BE(0), hole.readUInt32BE(8))
  part.fill(0)
  request.filled += part.length
}

function nextPart(request: Request, offset: bigint, length: number): Uint8Array {
  const inOrder = offset === BigInt(request.offset + request.filled)
  if (!inOrder || length === 0 || length > request.length - request.filled) {
    throw protocolError(`sent ${length} bytes of offset ${offset}, which were not asked for`)
  }
  return request.target.subarray(request.filled, request.filled + length)
}

function* receiveStatus(request: Request, payload: number, context: number): Conversation {
  if (payload < 12 || payload % 8 !== 4 || payload > MAX_STATUS_PAYLOAD || request.extents.length > 0) {
    throw protocolError(`sent a block status of ${payload} bytes`)
  }
  const status = Buffer.alloc(payload)
  yield status
  if (status.readUInt32BE(0) !== context) throw protocolError('sent the status of a context that was not asked for')
  for (let at = 4; at < payload; at += 8) {
    const length = status.readUInt32BE(at)
    if (length === 0) throw protocolError('sent a block status of no length')
    request.extents.push({ length, flags: status.readUInt32BE(at + 4) })
  }
}

function* receiveError(request: Request, payload: number): Conversation {
  if (payload < 6 || payload > MAX_ERROR_PAYLOAD) throw protocolError(`sent an error of ${payload} bytes`)
  const error = Buffer.alloc(payload)
  yield error
  const end = 6 + error.readUInt16BE(4)
  if (end > payload) throw protocolError('sent an error whose message is cut')
  request.error = readError(request, error.readUInt32BE(0), error.toString('utf8', 6, end))
}

function readError(request: Request, code: number, message: string): C2mError {
  const range = `${request.length} bytes at offset ${request.offset}`
  // the message comes from outside: control characters could play with a terminal
  const said = message.replace(/[^\x20-\x7e]+/g, ' ').trim()
  const why = [ERRORS[code] ?? `error ${code}`, said].filter((text) => text !== '').join(': ')
  return new C2mError('C2M_DISK_READ', `${range} of the disk cannot be read: ${why}`, {
    hint: 'the image is damaged or its storage fails; try `qemu-img check`',
  })
}
