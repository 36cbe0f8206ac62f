import { open, type FileHandle } from 'node:fs/promises'
import { C2mError, fileError } from '@c2m/process'

/** Disk formats that are not read, by their first bytes. They would pass for raw disks without a partition table. */
const FOREIGN: readonly (readonly [name: string, start: string])[] = [
  ['a QED image', 'QED\0'],
  ['a qcow image of version 1', 'QFI\xfb'],
  ['a Parallels disk', 'WithoutFreeSpace'],
  ['a Parallels disk', 'WithouFreSpacExt'],
  ['a Bochs disk', 'Bochs Virtual HD Image'],
  ['an Expert Witness image', 'EVF\x09\x0d\x0a\xff\x00'],
  ['an AFF image', 'AFF10\x0d\x0a\x00'],
]
const HEAD = 32

/** @throws C2M_DISK_UNSUPPORTED, C2M_FILE_… */
export async function refuseForeign(path: string): Promise<void> {
  const head = await readHead(path)
  const found = FOREIGN.find(([, start]) => head.startsWith(start))
  if (found === undefined) return
  throw new C2mError('C2M_DISK_UNSUPPORTED', `${path} is ${found[0]}, which is not read`, {
    hint: 'convert it to qcow2 first, e.g. with qemu-img convert',
  })
}

async function readHead(path: string): Promise<string> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } catch (error) {
    throw fileError(error, path, 'read')
  } finally {
    await file?.close()
  }
}
