import { open } from 'node:fs/promises'
import { fileError } from '@c2m/process'
import type { Write } from './layer.js'

/**
 * Makes a new file of what `fill` writes, from its beginning to its end.
 * @param shown its name in errors, as the user knows it
 * @throws C2M_FILE_…; what `fill` throws
 */
export async function writeStream<T>(path: string, shown: string, fill: (write: Write) => Promise<T>): Promise<T> {
  const named = (error: unknown): never => {
    throw fileError(error, shown, 'write')
  }
  const file = await open(path, 'wx').catch(named)
  try {
    return await fill(async (chunk) => {
      for (let done = 0; done < chunk.length;)
        done += (await file.write(chunk, done, chunk.length - done).catch(named)).bytesWritten
    })
  } finally {
    await file.close()
  }
}

/** The same for a file that is small enough to be held. */
export function writeSmall(path: string, bytes: Uint8Array | string, shown: string): Promise<void> {
  return writeStream(path, shown, (write) => write(Buffer.from(bytes)))
}
