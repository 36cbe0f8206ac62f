/** A file, a directory or a symlink of an archive; its name has no leading slash. */
export type CpioEntry =
  | { readonly type: 'file'; readonly name: string; readonly mode: number; readonly data: Uint8Array }
  | { readonly type: 'directory'; readonly name: string }
  | { readonly type: 'symlink'; readonly name: string; readonly target: string }

/** File types of stat(2). */
const TYPES = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const

/**
 * A cpio archive as the kernel unpacks it (Documentation/driver-api/early-userspace/buffer-format.rst): for each entry
 *
 *   '070701'           magic of the 'newc' format
 *   13 numbers         8 hexadecimal digits each: ino mode uid gid nlink mtime filesize
 *                      devmajor devminor rdevmajor rdevminor namesize check
 *   name NUL           filled up to a multiple of 4 bytes from the entry's start
 *   data               filled up to a multiple of 4 bytes
 *
 * and an entry of the name TRAILER!!! at the end. Everything belongs to root; times are 0, so the same entries give the
 * same bytes.
 */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.flatMap((entry, index) => {
    const data = contentOf(entry)
    const mode = TYPES[entry.type] | (entry.type === 'file' ? entry.mode : entry.type === 'directory' ? 0o755 : 0o777)
    return [header(entry.name, index + 1, mode, data.length), padded(data)]
  })
  return Buffer.concat([...parts, header('TRAILER!!!', 0, 0, 0)])
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.type === 'file') return entry.data
  return Buffer.from(entry.type === 'symlink' ? entry.target : '')
}

function header(name: string, inode: number, mode: number, size: number): Buffer {
  const text = Buffer.from(`${name}\0`)
  const numbers = [inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, text.length, 0]
  const fields = numbers.map((number) => number.toString(16).padStart(8, '0')).join('')
  return padded(Buffer.concat([Buffer.from(`070701${fields}`), text]))
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
}
