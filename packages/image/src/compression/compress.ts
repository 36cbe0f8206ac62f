import { filter, requireTool } from '@c2m/process'
import { gzip } from './gzip.js'

export interface CompressOptions {
  /** Of gzip: 1 to 9, default 6; of zstd: 1 to 19, default 3. */
  readonly level?: number
  readonly signal?: AbortSignal
}

/**
 * Compresses on all cores: gzip with Node's zlib, zstd with the program; with the same bytes on any number of cores. The
 * source must not reuse the memory of its chunks.
 * @throws C2M_TOOL_MISSING; C2M_COMMAND_FAILED; C2M_INTERRUPTED; what the source throws
 */
export function compress(
  source: AsyncIterable<Uint8Array>,
  compression: 'gzip' | 'zstd',
  options: CompressOptions = {},
): AsyncIterable<Uint8Array> {
  return compression === 'gzip' ? gzip(source, options) : zstd(source, options)
}

/** Not with Node's zlib: its zstd cuts the output short when it is given several threads (seen with Node 22.23). */
async function* zstd(source: AsyncIterable<Uint8Array>, options: CompressOptions): AsyncGenerator<Uint8Array> {
  const { level = 3, signal } = options
  const program = await requireTool('zstd', 'compressing with zstd', 'zstd')
  // -T0 divides the data in the same way on any number of cores, unlike --single-thread
  yield* filter(program, ['-q', '-c', '-T0', `-${level}`, '-'], source, { signal })
}
