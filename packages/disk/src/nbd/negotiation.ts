import { protocolError } from './errors.js'
import {
  ALLOCATION_CONTEXT,
  GREETING_MAGIC,
  HandshakeFlag,
  INFO_EXPORT,
  OPTION_ERROR,
  OPTION_MAGIC,
  OPTION_REPLY_MAGIC,
  Option,
  OptionReply,
  TransmissionFlag,
} from './protocol.js'

export interface NbdExport {
  /** Bytes. */
  readonly size: number
  /** The server's number of the context base:allocation. */
  readonly allocationContext: number
}

interface OptionAnswer {
  readonly type: number
  readonly data: Buffer
}

/** No answer of the options that are used here comes near. */
const MAX_OPTION_DATA = 64 * 1024
const MAX_ANSWERS = 64
/** The export without a name, which qemu-nbd serves. */
const EXPORT_NAME = Buffer.alloc(0)

/**
 * The handshake up to the beginning of transmission. Insists on all that is needed later: structured replies, block
 * status, and an export that cannot be written.
 * @throws C2M_NBD_PROTOCOL
 */
export function* negotiate(send: (bytes: Uint8Array) => void): Generator<Uint8Array, NbdExport, void> {
  const greeting = Buffer.alloc(18)
  yield greeting
  if (greeting.toString('latin1', 0, 16) !== GREETING_MAGIC) throw protocolError('did not greet as one')
  const flags = greeting.readUInt16BE(16)
  if ((flags & HandshakeFlag.fixedNewstyle) === 0) throw protocolError('is too old: it has no fixed newstyle handshake')
  send(u32(flags & (HandshakeFlag.fixedNewstyle | HandshakeFlag.noZeroes)))

  yield* ask(send, Option.structuredReply, Buffer.alloc(0))
  const context = Buffer.from(ALLOCATION_CONTEXT)
  const contexts = yield* ask(
    send,
    Option.setMetaContext,
    Buffer.concat([u32(EXPORT_NAME.length), EXPORT_NAME, u32(1), u32(context.length), context]),
  )
  const infos = yield* ask(send, Option.go, Buffer.concat([u32(EXPORT_NAME.length), EXPORT_NAME, Buffer.alloc(2)]))
  return { size: exportSize(infos), allocationContext: contextId(contexts) }
}

function* ask(
  send: (bytes: Uint8Array) => void,
  option: number,
  data: Buffer,
): Generator<Uint8Array, OptionAnswer[], void> {
  send(Buffer.concat([Buffer.from(OPTION_MAGIC), u32(option), u32(data.length), data]))
  const answers: OptionAnswer[] = []
  while (answers.length < MAX_ANSWERS) {
    const head = Buffer.alloc(20)
    yield head
    if (head.readBigUInt64BE(0) !== OPTION_REPLY_MAGIC || head.readUInt32BE(8) !== option) {
      throw protocolError(`gave no proper answer to option ${option}`)
    }
    const type = head.readUInt32BE(12)
    const length = head.readUInt32BE(16)
    if (length > MAX_OPTION_DATA) throw protocolError(`answered option ${option} with ${length} bytes`)
    const answer = { type, data: Buffer.alloc(length) }
    yield answer.data
    if (type === OptionReply.ack) return answers
    if (type >= OPTION_ERROR) throw protocolError(`refused option ${option} (error ${type - OPTION_ERROR})`)
    answers.push(answer)
  }
  throw protocolError(`does not stop answering option ${option}`)
}

function contextId(answers: readonly OptionAnswer[]): number {
  const found = answers.find(
    ({ type, data }) =>
      type === OptionReply.metaContext && data.length >= 4 && data.toString('utf8', 4) === ALLOCATION_CONTEXT,
  )
  if (found === undefined) throw protocolError('does not tell holes from data')
  return found.data.readUInt32BE(0)
}

/** u16 kind of information, u64 size, u16 transmission flags. */
function exportSize(answers: readonly OptionAnswer[]): number {
  const found = answers.find(
    ({ type, data }) => type === OptionReply.info && data.length === 12 && data.readUInt16BE(0) === INFO_EXPORT,
  )
  if (found === undefined) throw protocolError('did not say how large the disk is')
  const flags = found.data.readUInt16BE(10)
  if ((flags & TransmissionFlag.hasFlags) === 0 || (flags & TransmissionFlag.readOnly) === 0) {
    throw protocolError('would let the disk be written')
  }
  const size = found.data.readBigUInt64BE(2)
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw protocolError(`serves a disk of ${size} bytes`)
  return Number(size)
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
