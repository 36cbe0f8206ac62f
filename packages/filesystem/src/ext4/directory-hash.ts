/**
 * The half MD4 hash of names in indexed directories. Kernel documentation: filesystems/ext4, "Hash Tree Directories";
 * the functions are those of fs/ext4/hash.c. Whether bytes above 0x7f count as negative is told by s_flags.
 */
export const HALF_MD4 = 1

const CHUNK = 32
/** Hashes of this value are kept for the end of the directory. */
const END_OF_DIRECTORY = 0xfffffffe
const K2 = 0x5a827999
const K3 = 0x6ed9eba1
const DEFAULT_SEED = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const

/** Four words; a seed of zeros means the default. */
export function hashSeedWords(seed: Uint8Array): Uint32Array {
  const bytes = Buffer.from(seed)
  const words = Uint32Array.from({ length: 4 }, (_, index) => bytes.readUInt32LE(4 * index))
  return words.some((word) => word !== 0) ? words : Uint32Array.from(DEFAULT_SEED)
}

/** The major hash, as it stands in the index: even, below 0xfffffffe. */
export function halfMd4(name: Uint8Array, seed: Uint32Array, signed: boolean): number {
  const state = Int32Array.from(seed)
  const words = new Int32Array(8)
  for (let at = 0; at < name.length; at += CHUNK) {
    gather(name, at, words, signed)
    transform(state, words)
  }
  const hash = (state[1]! & ~1) >>> 0
  return hash === END_OF_DIRECTORY ? END_OF_DIRECTORY - 2 : hash
}

/** Up to 32 bytes as eight words, the first byte highest; what is missing is filled with the length that is left. */
function gather(name: Uint8Array, start: number, words: Int32Array, signed: boolean): void {
  const length = name.length - start
  const padding = length | (length << 8) | (length << 16) | (length << 24)
  const end = Math.min(length, CHUNK)
  words.fill(padding)
  for (let at = 0; at < end; at++) {
    const raw = name[start + at]!
    const byte = signed ? (raw << 24) >> 24 : raw
    const before = at % 4 === 0 ? padding : words[at >> 2]!
    words[at >> 2] = byte + (before << 8)
  }
}

const SHIFTS = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
] as const
const ORDERS = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [1, 3, 5, 7, 0, 2, 4, 6],
  [3, 7, 2, 6, 1, 5, 0, 4],
] as const
const CONSTANTS = [0, K2, K3] as const

/** Three rounds of eight steps: choice, majority and parity of three words. */
function transform(state: Int32Array, input: Int32Array): void {
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  for (let round = 0; round < 3; round++) {
    const order = ORDERS[round]!
    const shifts = SHIFTS[round]!
    const constant = CONSTANTS[round]!
    for (let step = 0; step < 8; step++) {
      const mixed = round === 0 ? d ^ (b & (c ^ d)) : round === 1 ? ((b & c) + ((b ^ c) & d)) | 0 : b ^ c ^ d
      const sum = (a + mixed + input[order[step]!]! + constant) | 0
      const shift = shifts[step & 3]!
      a = d
      d = c
      c = b
      b = (sum << shift) | (sum >>> (32 - shift))
    }
  }
  state[0] = state[0]! + a
  state[1] = state[1]! + b
  state[2] = state[2]! + c
  state[3] = state[3]! + d
}
