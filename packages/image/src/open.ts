import { CleanupStack, interrupted, isC2mError, silentReporter } from '@c2m/process'
import { indexLayer, mergeLayers, openDirectory, type Layer } from '@c2m/rootfs'
import { openMembers, seekableTar, type ArchiveContext, type SeekableTar } from './archive/archive.js'
import { findInDockerArchive } from './archive/docker-archive.js'
import { buildImage } from './daemon/build.js'
import { exportContainer } from './daemon/container.js'
import { findEngine, requireEngine } from './daemon/engine.js'
import { findInDaemon, hasImage } from './daemon/image.js'
import type { FoundImage, OpenedImage, OpenImageOptions } from './image.js'
import { archiveFolder, fileKind, localFolder } from './layout/blob-folder.js'
import { findInLayout } from './layout/layout.js'
import { EMPTY_CONFIG } from './manifest/config.js'
import { hostPlatform, parsePlatform, type Platform } from './manifest/platform.js'
import { openTarball, type Tarball } from './plain/tarball.js'
import { isWrittenAsFile } from './reference/file-name.js'
import { parseReference, type ArchiveChoice, type ImageChoice, type ImageReference } from './reference/reference.js'
import { isRegistryName, type RegistryName } from './reference/registry-name.js'
import { findInRegistry } from './registry/registry.js'
import { sniffPath } from './sniff.js'
import { DEFAULT_MAX_UNPACKED } from './store/limits.js'
import { openStore } from './store/store.js'
import { unpackLayers } from './store/unpack.js'

/** What every way of opening an image needs. */
interface Opening extends ArchiveContext {
  readonly platform: Platform
  readonly env: NodeJS.ProcessEnv
  readonly options: OpenImageOptions
  readonly cleanup: CleanupStack
}

/**
 * Opens an image wherever it is: finds it, verifies and unpacks its layers into the cache, indexes them.
 * @throws C2M_IMAGE_REFERENCE and C2M_PLATFORM (usage); C2M_IMAGE_…; C2M_REGISTRY_…; C2M_DAEMON_…; C2M_CACHE_FULL;
 * C2M_TOOL_MISSING; C2M_FILE_…; C2M_TAR_…; C2M_INTERRUPTED
 */
export async function openImage(reference: ImageReference | string, options: OpenImageOptions): Promise<OpenedImage> {
  const parsed = typeof reference === 'string' ? parseReference(reference) : reference
  const platform = options.platform === undefined ? hostPlatform() : parsePlatform(options.platform)
  const { signal, reporter = silentReporter, maxUnpackedBytes = DEFAULT_MAX_UNPACKED, env = process.env } = options
  await using cleanup = new CleanupStack()
  try {
    const store = await openStore(options.cache)
    cleanup.defer(() => store[Symbol.asyncDispose]())
    const opening: Opening = { store, reporter, signal, maxUnpackedBytes, platform, env, options, cleanup }
    const image = await openByTransport(parsed, opening)
    const kept = cleanup.release()
    return { ...image, [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose]() }
  } catch (error) {
    if (signal?.aborted === true && !isC2mError(error)) throw interrupted()
    throw error
  }
}

type Opened = Omit<OpenedImage, typeof Symbol.asyncDispose>

async function openByTransport(reference: ImageReference, opening: Opening): Promise<Opened> {
  const { name } = reference
  switch (reference.transport) {
    case 'docker':
      return openFromRegistry(reference.image, name, opening)
    case 'docker-daemon': {
      const engine = await requireEngine(opening.env, opening.signal)
      return openFound(await findInDaemon(engine, reference.image, name, opening.platform, opening), opening)
    }
    case 'oci':
      return openLayout(reference.path, reference.choice, name, opening)
    case 'oci-archive':
      return openOciArchive(await seekableTar(reference.path, opening), reference.choice, name, opening)
    case 'docker-archive':
      return openDockerArchive(await seekableTar(reference.path, opening), reference.choice, name, opening)
    case 'container':
      return openContainer(reference.container, name, opening)
    case 'dockerfile':
      return openBuilt(reference.path, name, opening)
    case 'tarball':
      return openPlain(await openTarball(reference.path, opening.options.stdin, opening), reference.path, name, opening)
    case 'dir':
      return openRoot(reference.path, name, opening)
    case 'bare':
      return reference.image === undefined
        ? openSniffed({ ...reference, path: reference.path }, opening)
        : openNamed(reference.image, name, opening)
  }
}

/** A daemon that answers and has it (for this platform) is nearer than the registry. */
async function openNamed(image: RegistryName, name: string, opening: Opening): Promise<Opened> {
  const { env, signal, platform, reporter } = opening
  const engine = await findEngine(env, signal)
  if (engine !== undefined && (await hasImage(engine, image, platform, signal))) {
    reporter.detail(`taking the image from the daemon at ${engine.address}`)
    return openFound(await findInDaemon(engine, image, name, platform, opening), opening)
  }
  return openFromRegistry(image, name, opening)
}

async function openFromRegistry(image: RegistryName, name: string, opening: Opening): Promise<Opened> {
  const { store, env, reporter, signal, options } = opening
  const context = {
    store,
    env,
    reporter,
    signal,
    retryDelay: options.retryDelay ?? 500,
    insecureHosts: options.insecureHosts ?? [],
  }
  return openFound(await findInRegistry(image, name, opening.platform, context), opening)
}

async function openSniffed(reference: ImageReference & { path: string }, opening: Opening): Promise<Opened> {
  const { name } = reference
  const found = await sniffPath(reference.path, opening)
  if (!isWrittenAsFile(reference.path) && isRegistryName(reference.path))
    opening.reporter.info(`taking ${found.path} of this directory; docker://${found.path} is the image of that name`)
  switch (found.kind) {
    case 'oci':
      return openLayout(found.path, found.choice, name, opening)
    case 'oci-archive':
      return openOciArchive(found.tar, found.choice, name, opening)
    case 'docker-archive':
      return openDockerArchive(found.tar, {}, name, opening)
    case 'tarball':
      return openPlain(await openTarball(found.tar.path, undefined, opening), found.tar.origin, name, opening)
    case 'dir':
      return openRoot(found.path, name, opening)
  }
}

async function openLayout(path: string, choice: ImageChoice, name: string, opening: Opening): Promise<Opened> {
  await fileKind(path)
  return openFound(await findInLayout(localFolder(path), choice, name, opening.platform), opening)
}

async function openOciArchive(tar: SeekableTar, choice: ImageChoice, name: string, opening: Opening): Promise<Opened> {
  await using members = await openMembers(tar.path, opening.signal)
  const found = await findInLayout(archiveFolder(members, tar), choice, name, opening.platform)
  return await openFound(found, opening)
}

async function openDockerArchive(
  tar: SeekableTar,
  choice: ArchiveChoice,
  name: string,
  opening: Opening,
): Promise<Opened> {
  await using members = await openMembers(tar.path, opening.signal)
  const found = await findInDockerArchive(archiveFolder(members, tar), choice, name, opening.platform)
  return await openFound(found, opening)
}

async function openContainer(container: string, name: string, opening: Opening): Promise<Opened> {
  const engine = await requireEngine(opening.env, opening.signal)
  const { tarball, config, rawConfig, architecture, os } = await exportContainer(engine, container, opening)
  const image = await openPlain(tarball, `container ${container} of the daemon at ${engine.address}`, name, opening)
  return { ...image, config, rawConfig, architecture: architecture ?? image.architecture, os: os ?? image.os }
}

async function openBuilt(folder: string, name: string, opening: Opening): Promise<Opened> {
  const built = await buildImage(folder, opening.options.platform, opening)
  if (built.kind === 'oci-archive')
    return openOciArchive({ path: built.path, origin: folder, version: undefined }, {}, name, opening)
  return openFound(await findInDaemon(built.engine, { id: built.id }, name, opening.platform, opening), opening)
}

/** Unpacks and indexes the layers of an image that was found. */
async function openFound(found: FoundImage, opening: Opening): Promise<Opened> {
  const { name, origin, digest, architecture, os, config, rawConfig } = found
  let layers: readonly Layer[]
  try {
    layers = await unpackLayers(found, opening)
  } finally {
    await found.close?.()
  }
  opening.cleanup.defer(() => closeAll(layers))
  const sizes = found.layers.map(({ blob }) => blob?.size)
  return {
    name,
    origin,
    digest,
    architecture,
    os,
    config,
    rawConfig,
    diffIds: found.layers.map(({ diffId }) => diffId),
    layers,
    compressedBytes: sizes.every((size) => size !== undefined) ? sizes.reduce((sum, size) => sum + size, 0) : undefined,
    rootfs: () => mergeLayers(layers, opening.signal),
  }
}

/** A bare root file system says nothing of its platform; it is taken for the one that was asked for. */
async function openPlain(tarball: Tarball, origin: string, name: string, opening: Opening): Promise<Opened> {
  const layer = await indexLayer(tarball.path, { signal: opening.signal })
  opening.cleanup.defer(() => layer[Symbol.asyncDispose]())
  return {
    ...bare(origin, name, opening.platform),
    digest: tarball.digest,
    diffIds: [tarball.digest],
    layers: [layer],
    compressedBytes: tarball.size,
    rootfs: () => mergeLayers([layer], opening.signal),
  }
}

async function openRoot(path: string, name: string, opening: Opening): Promise<Opened> {
  const tree = await openDirectory(path, { signal: opening.signal })
  return { ...bare(path, name, opening.platform), diffIds: [], layers: [], rootfs: () => Promise.resolve(tree) }
}

function bare(origin: string, name: string, { architecture, os }: Platform) {
  return { name, origin, architecture, os, config: EMPTY_CONFIG, rawConfig: {} }
}

async function closeAll(layers: readonly Layer[]): Promise<void> {
  for (const layer of layers) await layer[Symbol.asyncDispose]()
}
