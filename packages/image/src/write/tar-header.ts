const OCTAL_LIMIT = 8 ** 11

/**
 * The header of a regular file in an archive of blobs (POSIX.1-1988 ustar; GNU's base-256 number for 8 GiB and more):
 *
 *     0    name[100]   mode[8]  uid[8]  gid[8]
 *     124  size[12]    mtime[12]  checksum[8]  type '0'  link[100]
 *     257  "ustar"     version …
 *
 * Owner and time are 0, so that the bytes depend on the content alone.
 * @param name ASCII, at most 99 characters
 */
export function blobHeader(name: string, size: number): Uint8Array {
  const header = Buffer.alloc(512)
  header.write(name, 0, 'latin1')
  header.write('0000644\0' + '0000000\0'.repeat(2), 100, 'latin1')
  if (size < OCTAL_LIMIT) {
    header.write(size.toString(8).padStart(11, '0') + '\0', 124, 'latin1')
    header.write('ustar\x0000', 257, 'latin1')
  } else {
    header[124] = 0x80
    header.writeBigUInt64BE(BigInt(size), 128)
    header.write('ustar  \0', 257, 'latin1') // GNU's magic announces its numbers
  }
  header.write('00000000000\0' + ' '.repeat(8) + '0', 136, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(sum.toString(8).padStart(6, '0') + '\0 ', 148, 'latin1')
  return header
}
