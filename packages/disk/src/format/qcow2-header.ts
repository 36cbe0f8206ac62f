import type { SniffedDisk } from './sniffed-disk.js'

/** Name-length limit of the format. */
const MAX_NAME = 1023
const DATA_FILE_NAME = 0x44415441
const HEADER_V2 = 72

/**
 * qcow2 header (QEMU, docs/interop/qcow2.txt), big-endian:
 *
 *      0 "QFI" 0xFB            16 u32 its length
 *      4 u32 version 2, 3      72 u64 incompatible features (version 3; bit 2: data in another file)
 *      8 u64 backing file name 100 u32 header length (version 3); extensions follow: u32 type, u32 length, data
 */
export function sniffQcow2(head: Buffer): SniffedDisk | undefined {
  if (head.length < HEADER_V2 || head.readUInt32BE(0) !== 0x514649fb) return undefined
  const version = head.readUInt32BE(4)
  if (version !== 2 && version !== 3) return undefined
  const refersTo = [backingFile(head), externalData(head, version)].filter((name) => name !== undefined)
  return { format: 'qcow2', refersTo }
}

function backingFile(head: Buffer): string | undefined {
  const offset = head.readBigUInt64BE(8)
  if (offset === 0n) return undefined
  const length = head.readUInt32BE(16)
  // a name that lies elsewhere is still a name: say so rather than "none"
  if (length > MAX_NAME || offset + BigInt(length) > BigInt(head.length)) return '(unreadable)'
  return head.toString('utf8', Number(offset), Number(offset) + length)
}

function externalData(head: Buffer, version: number): string | undefined {
  if (version < 3 || head.length < 104 || (head.readBigUInt64BE(72) & 4n) === 0n) return undefined
  for (let at = head.readUInt32BE(100); at + 8 <= head.length;) {
    const type = head.readUInt32BE(at)
    const length = head.readUInt32BE(at + 4)
    if (type === 0) break
    if (type === DATA_FILE_NAME && at + 8 + length <= head.length) return head.toString('utf8', at + 8, at + 8 + length)
    at += 8 + Math.ceil(length / 8) * 8
  }
  return '(unreadable)'
}
