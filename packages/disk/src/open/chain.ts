import { realpath } from 'node:fs/promises'
import type { DiskFormat } from '@c2m/plugin-api'
import { C2mError, fileError } from '@c2m/process'
import { examineImage } from '../examine/examine.js'
import type { ExaminedImage, ExtentReference } from '../examine/examined.js'
import { ImageFile } from '../examine/image-file.js'
import { examineVmdkExtent } from '../examine/vmdk-extent.js'
import { sniffDiskFormat } from '../format/sniff.js'
import { identify, type FileIdentity } from './identity.js'
import { refuseInUse } from './in-use.js'
import { allowFolders, resolveBacking, resolveExtent, type AllowedFolders } from './references.js'

/** More than any sane snapshot tree; QEMU itself slows down long before. */
const MAX_DEPTH = 16
/** QEMU's names of formats, as images call their backing files. */
const QEMU_FORMATS: Readonly<Record<string, DiskFormat>> = {
  raw: 'raw',
  qcow2: 'qcow2',
  vdi: 'vdi',
  vmdk: 'vmdk',
  vpc: 'vhd',
  vhdx: 'vhdx',
}

/** One image of a chain, all of it checked. */
export interface ChainImage extends ExaminedImage {
  /** Absolute, without symlinks. */
  readonly path: string
}

export interface Chain {
  /** The disk itself, then what it is based on, and so on. */
  readonly images: readonly ChainImage[]
  /** All files, extents too, as they were when they were checked. */
  readonly files: readonly FileIdentity[]
  readonly notices: readonly string[]
}

/**
 * Follows an image to all files that it is made of, and checks each before anything else opens them.
 * @throws what `examineImage`, `resolveBacking`, `resolveExtent` and `refuseInUse` throw; C2M_DISK_CHAIN when the chain
 *   loops or is too long, C2M_DISK_BACKING_FORMAT
 */
export async function walkChain(
  path: string,
  format: DiskFormat,
  options: { readonly allowBacking?: readonly string[]; readonly signal?: AbortSignal },
): Promise<Chain> {
  const first = await realpath(path).catch((error: unknown) => {
    throw fileError(error, path, 'read')
  })
  const allowed = await allowFolders(first, options.allowBacking ?? [])
  const images: ChainImage[] = []
  const files: FileIdentity[] = []
  const notices: string[] = []
  let next: { path: string; format: DiskFormat } | undefined = { path: first, format }
  while (next !== undefined) {
    const identity = await identify(next.path)
    if (files.some(({ key }) => key === identity.key) || images.length === MAX_DEPTH) throw endless(next.path, images)
    await refuseInUse(next.path)
    const image: ChainImage = { path: next.path, ...(await examine(next.path, next.format, options.signal)) }
    images.push(image)
    files.push(identity, ...(await checkExtents(image, options.signal)))
    notices.push(...image.notices)
    next = await findBacking(image, allowed, notices)
  }
  return { images, files, notices }
}

async function examine(path: string, format: DiskFormat, signal: AbortSignal | undefined): Promise<ExaminedImage> {
  await using file = await ImageFile.open(path, signal)
  return await examineImage(file, format)
}

function endless(path: string, images: readonly ChainImage[]): C2mError {
  const top = images[0]?.path ?? path
  const why = images.length === MAX_DEPTH ? `has more than ${MAX_DEPTH} images` : `comes back to ${path}`
  return new C2mError('C2M_DISK_CHAIN', `the chain of ${top} ${why}`, { hint: 'merge it first: qemu-img convert' })
}

async function checkExtents(image: ChainImage, signal: AbortSignal | undefined): Promise<FileIdentity[]> {
  const files: FileIdentity[] = []
  for (const extent of image.extents) {
    const path = await resolveExtent(extent.name, image.path)
    const identity = await identify(path)
    if (files.some(({ key }) => key === identity.key)) throw twice(extent, image)
    files.push(identity)
    await refuseInUse(path)
    await using file = await ImageFile.open(path, signal)
    if (extent.kind === 'flat') {
      file.mustHold(extent.offset, extent.size, 'the extent')
    } else {
      const { size } = await examineVmdkExtent(file)
      if (size < extent.size) throw file.damaged(`it holds ${size} bytes where its descriptor says ${extent.size}`)
    }
  }
  return files
}

function twice(extent: ExtentReference, image: ChainImage): C2mError {
  return new C2mError('C2M_DISK_DAMAGED', `${image.path} names the extent ${JSON.stringify(extent.name)} twice`, {
    hint: 'copy the image again',
  })
}

async function findBacking(
  image: ChainImage,
  allowed: AllowedFolders,
  notices: string[],
): Promise<{ path: string; format: DiskFormat } | undefined> {
  if (image.backing === undefined) return undefined
  const { name, format } = image.backing
  const path = await resolveBacking(name, image.path, allowed)
  if (format !== undefined) return { path, format: knownFormat(format, image.path) }
  const sniffed = (await sniffDiskFormat(path)) ?? 'raw'
  notices.push(`${image.path} does not say what format ${path} has; it is read as ${sniffed}`)
  return { path, format: sniffed }
}

function knownFormat(name: string, from: string): DiskFormat {
  const format = Object.hasOwn(QEMU_FORMATS, name) ? QEMU_FORMATS[name] : undefined
  if (format !== undefined) return format
  throw new C2mError(
    'C2M_DISK_REFERENCE',
    `${from} says that its backing file has the format ${JSON.stringify(name)}`,
    {
      hint: 'only raw, qcow2, vdi, vmdk, vpc and vhdx are read; convert a copy with qemu-img if you trust it',
    },
  )
}
