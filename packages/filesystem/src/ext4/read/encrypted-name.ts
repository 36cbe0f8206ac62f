import { createHash } from 'node:crypto'

/** So much of a name's ciphertext is shown; the rest is hashed, so that the result is at most 255 characters. */
const SHOWN = 149

/**
 * A name, or a symlink's target, in an encrypted directory: text that stands for its ciphertext, as the kernel makes it
 * without the key (fs/crypto/fname.c, "no-key names"; here without the hash of the directory's index).
 */
export function nameWithoutKey(ciphertext: Uint8Array): string {
  if (ciphertext.length <= SHOWN) return Buffer.from(ciphertext).toString('base64url')
  const rest = createHash('sha256').update(ciphertext.subarray(SHOWN)).digest()
  return Buffer.concat([ciphertext.subarray(0, SHOWN), rest]).toString('base64url')
}
