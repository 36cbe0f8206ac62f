/**
 * A boot sector that does what every kernel does first: it switches to long mode with paging, prints MARKER on the first
 * serial port and ends QEMU through isa-debug-exit at port 0x1f4. A real-mode program alone would prove too little, since
 * there are hosts whose KVM runs the BIOS but no kernel. (Intel SDM volume 3A, 10.8.5 "Initializing IA-32e Mode".)
 *
 *   7c00  cli; ds = es = ss = 0; sp = 7c00
 *   7c0c  clear 1000..3fff; PML4 at 1000 -> PDPT at 2000 -> page directory at 3000 -> one 2 MiB page at 0
 *   7c26  lgdt; CR4.PAE; CR3 = 1000; EFER.LME; CR0.PG and CR0.PE; far jump to 64-bit code at 7c5c
 *   7c5c  print the bytes at 7c8e until a zero; out 10 to port 1f4; hlt
 *   7c78  GDT: null, 64-bit code      7c88  GDT pointer      7c8e  MARKER
 */
const CODE = `
  fa31c08ed88ec08ed0bc007c bf0010b90018f3abc70600100320c70600200330c70600308300
  660f0116887c66b8200000000f22e066b8001000000f22d866b9800000c00f320d00010f300f20c0660d010000800f22c0ea5c7c0800
  be8e7c000066baf803ac84c07403eeebf866baf401b010eef4ebfd90
  000000000000000000000000009a2000 0f00787c0000`

export const MARKER = 'c2m probe ok'

const SECTOR = 512

/** A disk of 1 MiB with the boot sector. */
export function probeDisk(): Uint8Array {
  const code = Buffer.from(CODE.replace(/\s/g, ''), 'hex')
  const disk = Buffer.alloc(1024 * 1024)
  code.copy(disk)
  disk.write(`${MARKER}\n\0`, code.length, 'latin1')
  disk.writeUInt16BE(0x55aa, SECTOR - 2)
  return disk
}
