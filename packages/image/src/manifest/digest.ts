import { createHash, type Hash } from 'node:crypto'
import { C2mError } from '@c2m/process'

/**
 * `algorithm:hex` (OCI image-spec, descriptor.md, "Digests"). Only the two registered algorithms are taken, so a digest
 * that passes is safe as a part of a file name.
 */
export interface Digest {
  readonly algorithm: 'sha256' | 'sha512'
  readonly hex: string
}

const FORM = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

export function isDigest(text: string): boolean {
  return FORM.test(text)
}

/** @throws C2M_IMAGE_MANIFEST when it is neither sha256 nor sha512 with the right count of hex digits */
export function parseDigest(text: string, where: string): Digest {
  if (!isDigest(text)) {
    throw new C2mError('C2M_IMAGE_MANIFEST', `${where} is no sha256 or sha512 digest: '${text.slice(0, 200)}'`, {
      hint: 'the image is damaged or was made by a faulty tool; get it again',
    })
  }
  return { algorithm: text.startsWith('sha256') ? 'sha256' : 'sha512', hex: text.slice(7) }
}

export function hashFor(digest: string): Hash {
  return createHash(parseDigest(digest, 'the digest').algorithm)
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** What is known of a blob before it is read. */
export interface Expected {
  readonly digest: string
  /** Bytes; undefined when only the digest is known. */
  readonly size?: number
}

/** @throws C2M_IMAGE_DIGEST_MISMATCH */
export function verifyBytes(bytes: Uint8Array, expected: Expected, origin: string): void {
  if (expected.size !== undefined && bytes.length !== expected.size) {
    throw sizeMismatch(expected.digest, expected.size, bytes.length, origin)
  }
  const found = `${expected.digest.slice(0, 7)}${hashFor(expected.digest).update(bytes).digest('hex')}`
  if (found !== expected.digest) throw digestMismatch(expected.digest, found, origin)
}

/**
 * Passes a blob on while hashing it; the last step checks size and digest, so a reader must read to the end before it
 * believes what it got.
 * @throws C2M_IMAGE_DIGEST_MISMATCH
 */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  expected: Expected,
  origin: string,
): AsyncGenerator<Uint8Array> {
  const hash = hashFor(expected.digest)
  let size = 0
  for await (const chunk of source) {
    size += chunk.length
    if (expected.size !== undefined && size > expected.size) {
      throw sizeMismatch(expected.digest, expected.size, `more than ${expected.size}`, origin)
    }
    hash.update(chunk)
    yield chunk
  }
  if (expected.size !== undefined && size !== expected.size) {
    throw sizeMismatch(expected.digest, expected.size, size, origin)
  }
  const found = `${expected.digest.slice(0, 7)}${hash.digest('hex')}`
  if (found !== expected.digest) throw digestMismatch(expected.digest, found, origin)
}

export function digestMismatch(expected: string, found: string, origin: string): C2mError {
  return new C2mError(
    'C2M_IMAGE_DIGEST_MISMATCH',
    `${expected} from ${origin} is corrupt: its content has the digest ${found}`,
    {
      hint: 'nothing of it was kept; get the image again, and ask its publisher when that does not help',
    },
  )
}

function sizeMismatch(digest: string, size: number, found: number | string, origin: string): C2mError {
  return new C2mError(
    'C2M_IMAGE_DIGEST_MISMATCH',
    `${digest} from ${origin} is corrupt: it has ${found} bytes instead of ${size}`,
    {
      hint: 'nothing of it was kept; get the image again, and ask its publisher when that does not help',
    },
  )
}
