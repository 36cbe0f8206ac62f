// A program of its own, so that it starts as fresh as pigz: compresses a tar as layers are. Arguments: tar, file, level.
// Prints the seconds of the work alone.
import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { gzip } from '../../packages/image/dist/compression/gzip.js'

const [, , tar, file, level] = process.argv
const start = process.hrtime.bigint()
const source = createReadStream(tar, { highWaterMark: 2 ** 18 })
await pipeline(gzip(source, { level: Number(level) }), createWriteStream(file))
console.log(Number(process.hrtime.bigint() - start) / 1e9)
