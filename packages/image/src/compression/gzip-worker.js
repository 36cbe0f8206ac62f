// Compresses the blocks of one gzip stream, one message each. JavaScript, because Node starts it from a file: from dist/
// in the published package, from src/ in the tests.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { crc32, constants, deflateRawSync } from 'node:zlib'

/** @type {{ level: number }} */
const { level } = workerData

// zlib makes new memory for each answer, of which V8 lets 32 MB pile up in each thread before it looks; collecting the
// young garbage by hand after some blocks takes a millisecond
setFlagsFromString('--expose-gc')
/** @type {(options: { type: 'minor' }) => void} */
const collectGarbage = runInNewContext('gc')
const BLOCKS_BETWEEN_COLLECTIONS = 8
let blocks = 0

parentPort?.on('message', (/** @type {import('./gzip-pool.js').Block} */ { buffer, dictionary, length }) => {
  const block = new Uint8Array(buffer, dictionary, length)
  const packed = deflateRawSync(block, {
    level,
    memLevel: constants.Z_MAX_MEMLEVEL, // a tenth faster than the default at level 1
    // ends on a byte boundary, so that the next block's data may follow (zlib manual, deflate, Z_SYNC_FLUSH)
    finishFlush: constants.Z_SYNC_FLUSH,
    // deflate may find repetitions up to 32 KiB back, across the border of the blocks
    ...(dictionary > 0 && { dictionary: new Uint8Array(buffer, 0, dictionary) }),
    // one piece of output, also of data that does not shrink
    chunkSize: length + (length >> 8) + 1024,
  })
  const crc = crc32(block)
  // the block's own memory takes the answer home: the room of a dictionary is more than what deflate may add
  new Uint8Array(buffer).set(packed)
  /** @type {import('./gzip-pool.js').PackedBlock} */
  const answer = { buffer, length: packed.length, crc }
  parentPort?.postMessage(answer, [buffer])
  if (++blocks % BLOCKS_BETWEEN_COLLECTIONS === 0) collectGarbage({ type: 'minor' })
})
