import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { throwIfAborted, usageError } from '@c2m/process'
import { encodeDockerfile } from './dockerfile.js'
import { writeSmall, writeStream } from './file.js'
import { packLayer, type PackContext } from './layer.js'
import { layerType } from './manifest.js'
import type { NewImage, NewLayer, WrittenLayer } from './new-image.js'
import { outputFolder, type OutputFolder } from './output-folder.js'

const TAR = 'img.tar'
const DOCKERFILE = 'Dockerfile'
/** What is written there. */
export const DOCKERFILE_NAMES = [TAR, DOCKERFILE]

/**
 * Writes a folder for `docker build`: the root file system as img.tar, which ADD unpacks, and a Dockerfile.
 * @throws C2M_OUTPUT_EXISTS (usage) when one of them is there and `force` is not given; C2M_FILE_…
 */
export async function writeDockerfile(
  path: string,
  layer: NewLayer,
  image: NewImage,
  context: PackContext,
  force = false,
): Promise<WrittenLayer> {
  await using folder = await dockerfileFolder(path, force)
  const packed = await writeStream(await folder.place(TAR), join(path, TAR), (write) =>
    packLayer(layer, write, context),
  )
  const text = encodeDockerfile(image, TAR, context.reporter)
  await writeSmall(await folder.place(DOCKERFILE), text, join(path, DOCKERFILE))
  throwIfAborted(context.signal)
  await folder.commit()
  return { ...packed, mediaType: layerType('oci', context.compression) }
}

/** The folder that `writeDockerfile` would fill. @throws what it throws before it writes */
export async function dockerfileFolder(path: string, force = false): Promise<OutputFolder> {
  for (const name of force ? [] : DOCKERFILE_NAMES) {
    const file = join(path, name)
    const isFree = await lstat(file).then(
      () => false,
      () => true,
    )
    if (!isFree)
      throw usageError('C2M_OUTPUT_EXISTS', `${file} exists already`, 'choose another folder, or use --force')
  }
  return outputFolder(path, force)
}
