import type { BlockTarget } from '@c2m/disk'
import { C2mError } from '@c2m/process'

export interface SwapOptions {
  readonly uuid: string
  /** Up to 15 bytes of UTF-8. */
  readonly label?: string
  /** Bytes of a page of the machine's kernel; default 4096. */
  readonly pageSize?: number
}

const SIGNATURE = 'SWAPSPACE2'
const VERSION = 1
const LABEL_BYTES = 16
/** mkswap(8) makes none with fewer. */
const MIN_PAGES = 10
const MAX_PAGES = 0xffffffff

/**
 * Writes a swap area (version 1; Linux, include/linux/swap.h, `union swap_header`), little-endian:
 *
 *     1024 u32 version 1      1036 UUID (16)
 *     1028 u32 last page      1052 label (16)
 *     1032 u32 bad pages      page size − 10 "SWAPSPACE2"
 *
 * @throws C2M_SWAP_SIZE, C2M_SWAP_LABEL, C2M_SWAP_UUID
 */
export async function writeSwap(target: BlockTarget, options: SwapOptions): Promise<void> {
  const { uuid, label = '', pageSize = 4096 } = options
  const pages = Math.floor(target.size / pageSize)
  if (pages < MIN_PAGES || pages > MAX_PAGES) {
    throw new C2mError('C2M_SWAP_SIZE', `a swap area cannot have ${target.size} bytes`, {
      hint: `choose at least ${MIN_PAGES} pages of ${pageSize} bytes`,
    })
  }
  const header = Buffer.alloc(pageSize)
  header.writeUInt32LE(VERSION, 1024)
  header.writeUInt32LE(pages - 1, 1028)
  header.set(parseUuid(uuid), 1036)
  header.set(encodeLabel(label), 1052)
  header.write(SIGNATURE, pageSize - SIGNATURE.length, 'latin1')
  await target.write(0, header)
}

function parseUuid(uuid: string): Uint8Array {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) return Buffer.from(uuid.replaceAll('-', ''), 'hex')
  throw new C2mError('C2M_SWAP_UUID', `'${uuid}' is no UUID`, { hint: 'it has 32 hex digits in five groups' })
}

function encodeLabel(label: string): Uint8Array {
  const bytes = Buffer.from(label, 'utf8')
  if (bytes.length < LABEL_BYTES && !label.includes('\0')) return bytes
  throw new C2mError('C2M_SWAP_LABEL', `the swap label '${label}' is too long`, { hint: 'use 15 bytes at most' })
}
