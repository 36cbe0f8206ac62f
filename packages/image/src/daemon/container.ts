import type { ImageConfig } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { spoolTar, type ArchiveContext } from '../archive/archive.js'
import { parseRunConfig } from '../manifest/config.js'
import { asObject, optionalString, type JsonObject } from '../manifest/json.js'
import type { Tarball } from '../plain/tarball.js'
import { getJson, getStream, type Engine } from './engine.js'

export interface ExportedContainer {
  readonly tarball: Tarball
  readonly config: ImageConfig
  readonly rawConfig: JsonObject
  /** GOARCH and GOOS of its image; undefined when the daemon does not tell. */
  readonly architecture?: string
  readonly os?: string
}

/**
 * Takes a container's file system, running or not (Engine API, "Export a container"): one tar without layers, volumes
 * not in it.
 * @throws C2M_IMAGE_NOT_FOUND; C2M_DAEMON_FAILED; C2M_CACHE_FULL
 */
export async function exportContainer(
  engine: Engine,
  container: string,
  context: ArchiveContext,
): Promise<ExportedContainer> {
  const { signal } = context
  const origin = `container ${container} of the daemon at ${engine.address}`
  const described = await getJson(engine, `/containers/${encodeURIComponent(container)}/json`, signal)
  if (described === undefined) throw notFound(container, engine)
  const description = asObject(described, origin)
  const config = parseRunConfig(description.Config, `Config of ${origin}`)

  const imageId = optionalString(description.Image, `Image of ${origin}`)
  const image =
    imageId === undefined ? undefined : await getJson(engine, `/images/${encodeURIComponent(imageId)}/json`, signal)
  const { Architecture: architecture, Os: os } =
    image === undefined ? ({} as JsonObject) : asObject(image, `image of ${origin}`)

  const stream = await getStream(engine, `/containers/${encodeURIComponent(container)}/export`, signal)
  if (stream === undefined) throw notFound(container, engine)
  return {
    tarball: await spoolTar(stream, origin, context),
    config,
    rawConfig: description.Config === undefined || description.Config === null ? {} : { config: description.Config },
    architecture: optionalString(architecture, `Architecture of ${origin}`),
    os: optionalString(os, `Os of ${origin}`),
  }
}

function notFound(container: string, engine: Engine): C2mError {
  return new C2mError('C2M_IMAGE_NOT_FOUND', `the daemon at ${engine.address} has no container ${container}`, {
    hint: 'list its containers with docker ps -a',
  })
}
