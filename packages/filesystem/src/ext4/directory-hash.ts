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
    gather(name.subarray(at), words, signed)
    transform(state, words)
  }
  const hash = (state[1]! & ~1) >>> 0
  return hash === END_OF_DIRECTORY ? END_OF_DIRECTORY - 2 : hash
}

/** Up to 32 bytes as eight words, the first byte highest; what is missing is filled with the length that is left. */
function gather(name: Uint8Array, words: Int32Array, signed: boolean): void {
  const length = name.length & 0xff
  const padding = length | (length << 8) | (length << 16) | (length << 24)
  const end = Math.min(name.length, CHUNK)
  words.fill(padding)
  for (let at = 0; at < end; at++) {
    const byte = signed ? (name[at]! << 24) >> 24 : name[at]!
    const before = at % 4 === 0 ? padding : words[at >> 2]!
    words[at >> 2] = byte + (before << 8)
  }
}

function transform(state: Int32Array, input: Int32Array): void {
  let [a, b, c, d] = state as unknown as [number, number, number, number]
  const pick = (x: number, y: number, z: number): number => z ^ (x & (y ^ z))
  const majority = (x: number, y: number, z: number): number => ((x & y) + ((x ^ y) & z)) | 0
  const parity = (x: number, y: number, z: number): number => x ^ y ^ z
  const round = (f: typeof pick, k: number, order: readonly number[], shifts: readonly number[]): void => {
    for (let step = 0; step < 8; step++) {
      const sum = (a + f(b, c, d) + input[order[step]!]! + k) | 0
      const shift = shifts[step % 4]!
      const turned = (sum << shift) | (sum >>> (32 - shift))
      a = d
      d = c
      c = b
      b = turned
    }
  }
  round(pick, 0, [0, 1, 2, 3, 4, 5, 6, 7], [3, 7, 11, 19])
  round(majority, K2, [1, 3, 5, 7, 0, 2, 4, 6], [3, 5, 9, 13])
  round(parity, K3, [3, 7, 2, 6, 1, 5, 0, 4], [3, 9, 11, 15])
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
}
