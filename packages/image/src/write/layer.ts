import { createHash } from 'node:crypto'
import { interrupted, isC2mError, throwIfAborted, type Reporter } from '@c2m/process'
import { compress } from '../compression/compress.js'
import type { LayerCompression, NewLayer } from './new-image.js'

export interface PackContext {
  readonly compression: LayerCompression
  readonly level: number | undefined
  readonly signal: AbortSignal | undefined
  readonly reporter: Reporter
}

/** What is known of a layer after it went by. */
export interface PackedLayer {
  readonly digest: string
  readonly diffId: string
  readonly size: number
  readonly uncompressedSize: number
}

/** Takes a chunk and keeps it until the promise is fulfilled. */
export type Write = (chunk: Uint8Array) => Promise<void>

/**
 * Reads a layer once: through the digest of the tar, the compressor and the digest of what comes out of it to `write`.
 * While a chunk is written the next one is read and hashed.
 * @throws C2M_INTERRUPTED; C2M_TOOL_MISSING; what the layer and `write` throw
 */
export async function packLayer(layer: NewLayer, write: Write, context: PackContext): Promise<PackedLayer> {
  const { compression, level, signal, reporter } = context
  const plain = createHash('sha256')
  const packed = createHash('sha256')
  let uncompressedSize = 0
  let size = 0
  async function* tar(): AsyncGenerator<Uint8Array> {
    for await (const chunk of layer.tar()) {
      throwIfAborted(signal)
      plain.update(chunk)
      uncompressedSize += chunk.length
      reporter.progress(chunk.length)
      // a compressor keeps chunks for longer than the layer does
      yield compression === 'none' ? chunk : chunk.slice()
    }
  }
  const source = compression === 'none' ? tar() : compress(tar(), compression, { level, signal })
  let writing = Promise.resolve()
  try {
    for await (const chunk of source) {
      await writing
      writing = write(chunk)
      writing.catch(() => undefined) // thrown when the next chunk is there
      if (compression !== 'none') packed.update(chunk)
      size += chunk.length
    }
  } catch (error) {
    if (signal?.aborted === true && !isC2mError(error)) throw interrupted()
    throw error
  } finally {
    await writing.catch(() => undefined) // nobody closes the file under it
  }
  await writing
  const diffId = `sha256:${plain.digest('hex')}`
  const digest = compression === 'none' ? diffId : `sha256:${packed.digest('hex')}`
  return { digest, diffId, size, uncompressedSize }
}
