import type { Rootfs } from '@c2m/plugin-api'

/** e_machine (ELF specification, ELF header) and byte order → GOARCH. */
const MACHINES: Readonly<Record<string, string>> = {
  '3 le': '386',
  '8 be': 'mips',
  '8 le': 'mipsle',
  '20 be': 'ppc',
  '21 be': 'ppc64',
  '21 le': 'ppc64le',
  '22 be': 's390x',
  '40 le': 'arm',
  '62 le': 'amd64',
  '183 le': 'arm64',
  '243 le': 'riscv64',
  '258 le': 'loong64',
}

/** Programs that every machine has. */
const PROGRAMS = ['bin/sh', 'sbin/init', 'usr/bin/env', 'bin/busybox', 'bin/cat']

/** GOARCH of a tree's programs, told by the first one that is there; undefined when none is, or none that is known. */
export async function architectureOf(rootfs: Rootfs): Promise<string | undefined> {
  for (const program of PROGRAMS) {
    const path = await rootfs.resolve(program)
    if (path === undefined || (await rootfs.stat(path))?.type !== 'file') continue
    const architecture = elfArchitecture(await head(rootfs, path, 20))
    if (architecture !== undefined) return architecture
  }
  return undefined
}

/** @param header at least the first 20 bytes of a program */
export function elfArchitecture(header: Uint8Array): string | undefined {
  const bytes = Buffer.from(header)
  if (bytes.length < 20 || bytes.readUInt32BE(0) !== 0x7f454c46) return undefined
  const order = bytes[5] === 2 ? 'be' : 'le'
  const machine = order === 'be' ? bytes.readUInt16BE(18) : bytes.readUInt16LE(18)
  return MACHINES[`${machine} ${order}`]
}

async function head(rootfs: Rootfs, path: string, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  for await (const { offset, data } of rootfs.stream(path)) {
    if (offset >= length) break
    bytes.set(data.subarray(0, length - offset), offset)
    if (offset + data.length >= length) break
  }
  return bytes
}
