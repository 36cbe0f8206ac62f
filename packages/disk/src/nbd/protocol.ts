/**
 * Network Block Device protocol (NetworkBlockDevice/nbd, doc/proto.md), all numbers big-endian. What c2m speaks of it:
 * the fixed newstyle handshake without TLS, structured replies, the metadata context base:allocation.
 *
 * Handshake:
 *
 *     server  0 "NBDMAGIC"  8 "IHAVEOPT"  16 u16 flags
 *     client  0 u32 flags
 *     client  0 "IHAVEOPT"  8 u32 option  12 u32 length  16 data                       (any number of times)
 *     server  0 u64 0x3e889045565a9  8 u32 option  12 u32 type  16 u32 length  20 data  (until ACK or an error)
 *
 * Transmission:
 *
 *     request            0 u32 magic  4 u16 flags  6 u16 command  8 u64 cookie  16 u64 offset  24 u32 length
 *     simple reply       0 u32 magic  4 u32 error  8 u64 cookie
 *     structured reply   0 u32 magic  4 u16 flags  6 u16 type     8 u64 cookie  16 u32 length  20 payload
 *
 * Payloads of structured replies:
 *
 *     data           0 u64 offset  8 bytes
 *     hole           0 u64 offset  8 u32 length
 *     block status   0 u32 context  4 pairs of u32 length, u32 flags
 *     error          0 u32 error  4 u16 length  6 message  (then, for "error at", u64 offset)
 */
export const GREETING_MAGIC = 'NBDMAGICIHAVEOPT'
export const OPTION_MAGIC = 'IHAVEOPT'
export const OPTION_REPLY_MAGIC = 0x0003e889045565a9n

export const HandshakeFlag = { fixedNewstyle: 1, noZeroes: 2 } as const

export const Option = { go: 7, structuredReply: 8, setMetaContext: 10 } as const

export const OptionReply = { ack: 1, info: 3, metaContext: 4 } as const
/** Set in the type of every option reply that is an error. */
export const OPTION_ERROR = 0x80000000

/** Information about the export that every server gives on GO. */
export const INFO_EXPORT = 0

export const TransmissionFlag = { hasFlags: 1, readOnly: 2 } as const

export const REQUEST_MAGIC = 0x25609513
export const SIMPLE_REPLY_MAGIC = 0x67446698
export const STRUCTURED_REPLY_MAGIC = 0x668e33ef

export const Command = { read: 0, disconnect: 2, blockStatus: 7 } as const

/** In a structured reply's flags: nothing more comes for this request. */
export const REPLY_DONE = 1

export const ReplyType = { none: 0, data: 1, hole: 2, blockStatus: 5 } as const
/** Set in the type of every structured reply that is an error. */
export const REPLY_ERROR = 0x8000

/** The metadata context that tells holes from data, and its flag for "reads as zeros". */
export const ALLOCATION_CONTEXT = 'base:allocation'
export const ALLOCATION_ZERO = 2
