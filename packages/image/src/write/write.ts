import { join } from 'node:path'
import { interrupted, isC2mError, outputFile, silentReporter, throwIfAborted, usageError } from '@c2m/process'
import { requireEngine } from '../daemon/engine.js'
import { loadImage } from '../daemon/load.js'
import { familiarName, sameImage, type RegistryName } from '../reference/registry-name.js'
import { pushImage } from '../registry/push.js'
import { openStore } from '../store/store.js'
import { checkImage } from './config.js'
import { chooseCompression } from './compression.js'
import { parseDestination, parseTags, type Destination } from './destination.js'
import { writeDockerArchive } from './docker-archive.js'
import { writeDockerfile } from './dockerfile-folder.js'
import type { PackContext } from './layer.js'
import type { NewImage, WriteImageOptions, WrittenImage } from './new-image.js'
import { nextCommand } from './next-command.js'
import { writeOciArchive } from './oci-archive.js'
import { writeOciLayout } from './oci-layout.js'
import { checkStandardOutput, sendFile } from './standard-output.js'
import { writeTarball } from './tarball.js'

interface Writing {
  readonly image: NewImage
  readonly tags: readonly RegistryName[]
  readonly context: PackContext
  readonly options: WriteImageOptions
}

type Written = Omit<WrittenImage, 'destination' | 'nextCommand'>

/**
 * Writes an image, whole or not at all: a file or folder appears when it is complete, a tag when all that it names is
 * there. Layers are read once, in order, in constant memory.
 * @throws C2M_IMAGE_REFERENCE, C2M_IMAGE_DESTINATION, C2M_IMAGE_NEW, C2M_OUTPUT_… (usage); C2M_FILE_…;
 *   C2M_DAEMON_…; C2M_REGISTRY_…; C2M_TOOL_MISSING; C2M_INTERRUPTED; what the layers throw
 */
export async function writeImage(
  destination: Destination | string,
  image: NewImage,
  options: WriteImageOptions,
): Promise<WrittenImage> {
  const target = typeof destination === 'string' ? parseDestination(destination) : destination
  const { signal, reporter = silentReporter, level } = options
  const compression = chooseCompression(target, options)
  checkImage(image)
  const tags = allTags(target, parseTags(options.tags ?? []))
  const context: PackContext = { compression, level, signal, reporter }
  throwIfAborted(signal)
  try {
    const written = await writeTo(target, { image, tags, context, options })
    return { ...written, destination: describe(target), nextCommand: nextCommand(target, image, tags) }
  } catch (error) {
    if (signal?.aborted === true && !isC2mError(error)) throw interrupted()
    throw error
  }
}

async function writeTo(target: Destination, writing: Writing): Promise<Written> {
  const { image, tags, context, options } = writing
  switch (target.transport) {
    case 'docker-archive': {
      const write = (path: string, named: string) =>
        writeDockerArchive(path, image, tags.map(familiarName), context, named)
      const { layers, config } = await toFile(target.path, writing, write)
      return { layers, configDigest: config.digest }
    }
    case 'oci-archive': {
      const name = { ref: target.ref, tags }
      const write = (path: string, named: string) => writeOciArchive(path, image, name, context, named)
      return summary(await toFile(target.path, writing, write))
    }
    case 'oci':
      return summary(await writeOciLayout(target.path, image, { ref: target.ref, tags }, context))
    case 'docker-daemon':
      return toDaemon(writing)
    case 'docker':
      return toRegistry(target.image, writing)
    case 'dockerfile':
      return { layers: [await writeDockerfile(target.path, onlyLayer(image, target), image, context, options.force)] }
    case 'tarball': {
      const layer = onlyLayer(image, target)
      const stdout = target.path === '-' ? standardOutput(options) : undefined
      return { layers: [await writeTarball(target.path, layer, context, { force: options.force, stdout })] }
    }
  }
}

/** Writes a file that is not written from its beginning to its end: for standard output, in the cache first. */
async function toFile<T>(
  path: string,
  { options }: Writing,
  write: (path: string, named: string) => Promise<T>,
): Promise<T> {
  if (path !== '-') {
    await using output = await outputFile(path, { force: options.force })
    const result = await write(output.path, path)
    throwIfAborted(options.signal)
    await output.commit()
    return result
  }
  const stdout = standardOutput(options)
  await using store = await openStore(options.cache)
  const spooled = join(store.temporary, 'archive.tar')
  const result = await write(spooled, spooled)
  await sendFile(spooled, stdout, options.signal)
  return result
}

async function toDaemon({ image, tags, context, options }: Writing): Promise<Written> {
  const engine = await requireEngine(options.env ?? process.env, options.signal)
  await using store = await openStore(options.cache)
  const path = join(store.temporary, 'archive.tar')
  const { layers, config } = await writeDockerArchive(path, image, tags.map(familiarName), context, path)
  await loadImage(engine, path, options.signal)
  return { layers, configDigest: config.digest }
}

async function toRegistry(name: RegistryName, { image, tags, context, options }: Writing): Promise<Written> {
  await using store = await openStore(options.cache)
  const { env = process.env, insecureHosts = [], retryDelay = 500, mountFrom = [] } = options
  const push = { ...context, store, env, insecureHosts, retryDelay, mountFrom }
  // names in other repositories are for other destinations
  const own = tags.filter((tag) => sameImage({ ...tag, tag: name.tag }, name)).map(({ tag }) => tag!)
  return summary(await pushImage(image, name, own, push))
}

function summary({ layers, config, manifest }: Awaited<ReturnType<typeof writeOciLayout>>): Written {
  return { manifestDigest: manifest.digest, configDigest: config.digest, layers }
}

/** The destination's own name first. */
function allTags(target: Destination, tags: readonly RegistryName[]): readonly RegistryName[] {
  const own = 'image' in target ? target.image : 'name' in target ? target.name : undefined
  if (own === undefined) return tags
  return [own, ...tags.filter((tag) => !sameImage(tag, own))]
}

function standardOutput(options: WriteImageOptions) {
  const stdout = options.stdout ?? process.stdout
  checkStandardOutput(stdout)
  return stdout
}

/** @throws C2M_IMAGE_NEW (usage) */
function onlyLayer(image: NewImage, { transport }: Destination) {
  const [layer, ...others] = image.layers
  if (layer !== undefined && others.length === 0) return layer
  throw usageError(
    'C2M_IMAGE_NEW',
    `${transport}: takes a single layer, and the image has ${image.layers.length}`,
    'write it as one layer, or choose a destination that keeps layers, e.g. docker-archive:FILE',
  )
}

function shown(path: string): string {
  return path === '-' ? 'standard output' : path
}

function describe(target: Destination): string {
  switch (target.transport) {
    case 'docker':
      return familiarName(target.image)
    case 'docker-daemon':
      return `${familiarName(target.image)} in the daemon`
    default:
      return shown(target.path)
  }
}
