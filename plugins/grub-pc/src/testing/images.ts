import { SECTOR } from '../boot-code.js'

/** A boot.img with the fields that matter; every other byte is 0x11. */
export function bootImage(): Buffer {
  const image = Buffer.alloc(SECTOR, 0x11)
  image.writeUInt16LE(0x8000, 0x5a)
  image.writeBigUInt64LE(1n, 0x5c)
  image[0x64] = 0xff
  image.writeUInt16BE(0xeb05, 0x66)
  image.writeUInt16BE(0x55aa, 0x1fe)
  return image
}

/** A core.img with the block list that grub-mkimage leaves in it; every other byte is 0x22. */
export function coreFile(length: number): Buffer {
  const image = Buffer.alloc(length, 0x22)
  image.fill(0, 0x1e8, 0x1f4)
  image.writeBigUInt64LE(2n, 0x1f4)
  image.writeUInt16LE(Math.ceil(length / SECTOR) - 1, 0x1fc)
  image.writeUInt16LE(0x0820, 0x1fe)
  return image
}
