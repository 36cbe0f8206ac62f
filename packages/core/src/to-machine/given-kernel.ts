import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { openDirectory } from '@c2m/rootfs'
import type { Body, GivenKernel, Rootfs } from '@c2m/plugin-api'
import { C2mError, ExitCode, fileError, readFully, type CleanupStack } from '@c2m/process'

/** Bytes at the start of an image that can hold its header and its version: 255 sectors of set-up code and the first one. */
const HEADER_BYTES = 256 * 512
/** Larger than any kernel, also one with its initial RAM disk inside; bytes. */
const LARGEST = 1024 ** 3

const RELEASE = /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}$/

/**
 * A kernel image in a file, with the modules that lie beside it as a distribution's kernel package has them:
 *
 *   DIR/boot/vmlinuz-RELEASE            the image
 *   DIR/lib/modules/RELEASE/            or DIR/usr/lib/modules/RELEASE/
 *
 * @param architecture GOARCH of the machine
 * @throws C2M_KERNEL_IMAGE, C2M_FILE_…
 */
export async function openGivenKernel(path: string, architecture: string, cleanup: CleanupStack): Promise<GivenKernel> {
  const { size, header } = await readHeader(path).catch((error: unknown) => {
    throw fileError(error, path, 'read the kernel image')
  })
  const x86 = bzImageVersion(header)
  if (x86 !== undefined && architecture !== 'amd64' && architecture !== '386') {
    throw unusable(`${path} is a kernel for x86, the machine is ${architecture}`, 'give one for that architecture')
  }
  const release = x86?.split(' ')[0] ?? /^vmlinu[xz]-(.+)$/.exec(basename(path))?.[1]
  if (release === undefined || !RELEASE.test(release)) {
    throw unusable(
      `${path} does not tell its kernel's release, neither in a bzImage's header nor as vmlinuz-RELEASE`,
      "give the kernel image that a boot loader loads, boot/vmlinuz-RELEASE of a distribution's package",
    )
  }
  const modules = await modulesBeside(path, release)
  if (modules !== undefined) cleanup.defer(() => modules[Symbol.asyncDispose]())
  return { release, image: { size, open: () => body(path) }, modules }
}

async function readHeader(path: string): Promise<{ readonly size: number; readonly header: Buffer }> {
  const file = await open(path)
  try {
    const status = await file.stat()
    if (!status.isFile() || status.size === 0 || status.size > LARGEST) {
      throw unusable(`${path} is no kernel image: it is ${status.isFile() ? `${status.size} bytes long` : 'no file'}`)
    }
    const header = Buffer.alloc(Math.min(HEADER_BYTES, status.size))
    return { size: status.size, header: header.subarray(0, await readFully(file, header, 0)) }
  } finally {
    await file.close()
  }
}

/**
 * What an x86 kernel says of itself, e.g. '6.1.0-31-amd64 (builder@host) #1 SMP …' (Documentation/arch/x86/boot.rst,
 * "The Real-Mode Kernel Header"), undefined when it is no bzImage or does not say it:
 *
 *   0x1f1  setup_sects     u8   sectors of set-up code after the first one; 0 means 4
 *   0x202  header          'HdrS'
 *   0x206  version         u16  of the boot protocol
 *   0x20e  kernel_version  u16  where the text is, less 0x200; within the set-up code
 */
export function bzImageVersion(image: Buffer): string | undefined {
  if (image.length < 0x210 || image.toString('latin1', 0x202, 0x206) !== 'HdrS' || image.readUInt16LE(0x206) < 0x200) {
    return undefined
  }
  const pointer = image.readUInt16LE(0x20e)
  const end = Math.min(((image[0x1f1] || 4) + 1) * 512, image.length)
  if (pointer === 0 || pointer + 0x200 >= end) return undefined
  const text = image.subarray(pointer + 0x200, end)
  const length = text.indexOf(0)
  return length <= 0 ? undefined : text.toString('latin1', 0, length)
}

async function modulesBeside(path: string, release: string): Promise<Rootfs | undefined> {
  const top = dirname(dirname(path))
  for (const library of ['lib', 'usr/lib']) {
    const folder = join(top, library, 'modules', release)
    const status = await stat(folder).catch(() => undefined)
    if (status?.isDirectory() === true) return openDirectory(folder, { attributes: false })
  }
  return undefined
}

async function* body(path: string): Body {
  let offset = 0
  for await (const data of createReadStream(path) as AsyncIterable<Buffer>) {
    yield { offset, data }
    offset += data.length
  }
}

function unusable(message: string, hint = 'give the file that a boot loader loads, vmlinuz-RELEASE'): C2mError {
  return new C2mError('C2M_KERNEL_IMAGE', message, { hint, exitCode: ExitCode.usage })
}
