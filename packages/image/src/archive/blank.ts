import { C2mError } from '@c2m/process'

/** Bytes of a block of tar (POSIX.1-2017, pax, "ustar Interchange Format"). */
export const TAR_BLOCK = 512

/** An archive without members is one record of zeros: 10 KiB from GNU tar, which makes records of 1 MiB at most. */
const LARGEST_EMPTY_TAR = 1024 * 1024

/** Whether what begins like this is a disk that nothing was written to, rather than a tar: that begins with a header. */
export function isBlankDisk(head: Uint8Array, size: number): boolean {
  return size > LARGEST_EMPTY_TAR && head.subarray(0, TAR_BLOCK).every((byte) => byte === 0)
}

/** Passes a tar on until it is sure that it is none. @throws C2M_IMAGE_ARCHIVE */
export async function* refuseBlank(chunks: AsyncIterable<Uint8Array>, origin: string): AsyncGenerator<Uint8Array> {
  let head: Uint8Array = new Uint8Array(0)
  let size = 0
  for await (const chunk of chunks) {
    if (head.length < TAR_BLOCK) head = Buffer.concat([head, chunk.subarray(0, TAR_BLOCK - head.length)])
    size += chunk.length
    if (isBlankDisk(head, size)) throw blankError(origin)
    yield chunk
  }
}

export function blankError(origin: string): C2mError {
  return new C2mError('C2M_IMAGE_ARCHIVE', `${origin} begins with zeros: it is a blank disk, not an archive`, {
    hint: 'name an archive or an image; c2m inspect shows what is on a disk',
  })
}
