import type { Transform } from 'node:stream'
import { Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import { availableParallelism } from 'node:os'
import { filter, findTool, requireTool } from '@c2m/process'
import { gzip } from './gzip.js'

export interface CompressOptions {
  readonly level?: number
  readonly signal?: AbortSignal
}

/**
 * Compresses on all cores: gzip with Node's zlib; zstd with the program, else with zlib where Node has it (22.15), in
 * both cases with the same bytes on any number of cores. The source must not reuse the memory of its chunks.
 * @throws C2M_TOOL_MISSING; C2M_COMMAND_FAILED; C2M_INTERRUPTED; what the source throws
 */
export function compress(
  source: AsyncIterable<Uint8Array>,
  compression: 'gzip' | 'zstd',
  options: CompressOptions = {},
): AsyncIterable<Uint8Array> {
  return compression === 'gzip' ? gzip(source, options) : zstd(source, options)
}

async function* zstd(source: AsyncIterable<Uint8Array>, options: CompressOptions): AsyncGenerator<Uint8Array> {
  const { level = 3, signal } = options
  const create = (zlib as { createZstdCompress?: (options: object) => Transform }).createZstdCompress
  const program = await findTool('zstd')
  if (program === undefined && create !== undefined) {
    yield* throughNode(create, source, level)
    return
  }
  const path = program ?? (await requireTool('zstd', 'compressing with zstd on this version of Node', 'zstd'))
  // -T0 divides the data in the same way on any number of cores, unlike --single-thread
  yield* filter(path, ['-q', '-c', '-T0', `-${level}`, '-'], source, { signal })
}

async function* throughNode(
  create: (options: object) => Transform,
  source: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array> {
  const { ZSTD_c_compressionLevel, ZSTD_c_nbWorkers, ZSTD_c_checksumFlag } = zlib.constants as unknown as Record<
    string,
    number
  >
  const params = {
    [ZSTD_c_compressionLevel!]: level,
    [ZSTD_c_nbWorkers!]: availableParallelism(),
    [ZSTD_c_checksumFlag!]: 1,
  }
  const input = Readable.from(source, { objectMode: false })
  const transform = create({ params })
  input.once('error', (error) => transform.destroy(error))
  try {
    for await (const chunk of input.pipe(transform)) yield chunk as Uint8Array
  } finally {
    input.destroy()
    transform.destroy()
  }
}
