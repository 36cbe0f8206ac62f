import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

/** What a worker gets: `dictionary` bytes that came before the block, then the block. */
export interface Block {
  readonly buffer: ArrayBuffer
  readonly dictionary: number
  readonly length: number
}

/** What it answers: the compressed block, at the beginning of the same buffer. */
export interface PackedBlock {
  readonly buffer: ArrayBuffer
  readonly length: number
  readonly crc: number
}

export interface GzipPool extends AsyncDisposable {
  /** Blocks that keep every worker busy while the oldest is waited for. */
  readonly depth: number
  pack(block: Block): Promise<PackedBlock>
}

/** A worker costs about 10 MB, and more than this many outrun the one thread that feeds and hashes. */
const MAX_WORKERS = 8

interface Waiting {
  resolve(packed: PackedBlock): void
  reject(error: Error): void
}

/** Workers for one stream, one on each core; blocks go to the one that has the fewest. */
export function openGzipPool(level: number, count = Math.min(availableParallelism(), MAX_WORKERS)): GzipPool {
  const workers = Array.from({ length: count }, () => startWorker(level))
  return {
    depth: 2 * count + 1,
    pack: (block) => workers.reduce((least, worker) => (worker.waiting < least.waiting ? worker : least)).pack(block),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map((worker) => worker.end()))
    },
  }
}

function startWorker(level: number) {
  const waiting: Waiting[] = []
  let failure: Error | undefined
  const fail = (error: Error) => {
    failure ??= error
    for (const { reject } of waiting.splice(0)) reject(failure)
  }
  const worker = new Worker(new URL('./gzip-worker.js', import.meta.url), { workerData: { level } })
  worker.on('message', (packed: PackedBlock) => waiting.shift()?.resolve(packed))
  worker.on('messageerror', fail)
  worker.on('error', fail)
  worker.on('exit', () => fail(new Error('the compressing thread ended early')))
  return {
    get waiting() {
      return waiting.length
    },
    pack: (block: Block): Promise<PackedBlock> =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) {
          reject(failure)
          return
        }
        waiting.push({ resolve, reject })
        worker.postMessage(block, [block.buffer])
      }),
    end: () => worker.terminate(),
  }
}
