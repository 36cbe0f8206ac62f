import { usageError } from '@c2m/process'
import type { NewImage } from './new-image.js'

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/

/**
 * The image's configuration (OCI image-spec, config.md; Docker reads the same). Keys of maps are sorted, so that the
 * same image has the same digest.
 */
export function encodeConfig(image: NewImage, diffIds: readonly string[]): Uint8Array {
  const { author, architecture, variant, os, created } = image
  return encodeJson({
    created,
    ...(author !== undefined && { author }),
    architecture,
    ...(variant !== undefined && { variant }),
    os,
    config: runConfig(image),
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: historyOf(image),
  })
}

/** The original's entries belong to the layers below the last one; squashed, they have no layer any more. */
function historyOf({ author, created, layers, original }: NewImage): readonly object[] {
  const own = layers.map(({ createdBy, comment }) => ({
    created,
    created_by: createdBy,
    ...(author !== undefined && { author }),
    ...(comment !== undefined && { comment }),
  }))
  const before = objects(original?.history)
  const withLayer = before.filter(({ empty_layer }) => empty_layer !== true).length
  if (withLayer === layers.length - 1) return [...before, ...own.slice(-1)]
  return layers.length === 1 ? [...before.map((entry) => ({ ...entry, empty_layer: true })), ...own] : own
}

type JsonRecord = Readonly<Record<string, unknown>>

function objects(value: unknown): readonly JsonRecord[] {
  const isObject = (item: unknown): item is JsonRecord => typeof item === 'object' && item !== null
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** @throws C2M_IMAGE_NEW (usage) for what no image can be */
export function checkImage(image: NewImage): void {
  const wrong = (what: string, hint: string) => usageError('C2M_IMAGE_NEW', what, hint)
  if (image.layers.length === 0) throw wrong('an image without layers cannot be written', 'give at least one layer')
  if (!RFC3339.test(image.created) || Number.isNaN(Date.parse(image.created)))
    throw wrong(`'${image.created}' is no time of creation`, 'write it as in RFC 3339, e.g. 2024-05-01T12:00:00Z')
  for (const port of image.config.exposedPorts) {
    if (!/^\d{1,5}(-\d{1,5})?(\/(tcp|udp|sctp))?$/.test(port))
      throw wrong(`'${port}' is no port of an image`, 'write PORT/tcp or PORT/udp')
  }
}

function runConfig({ config, volumes = [], original }: NewImage): object {
  const { user, env, entrypoint, cmd, workingDir, exposedPorts, stopSignal, labels } = config
  return {
    ...objects([original?.config])[0],
    ...(user !== undefined && { User: user }),
    ...(exposedPorts.length > 0 && { ExposedPorts: set(exposedPorts) }),
    ...(env.length > 0 && { Env: env }),
    ...(entrypoint.length > 0 && { Entrypoint: entrypoint }),
    ...(cmd.length > 0 && { Cmd: cmd }),
    ...(volumes.length > 0 && { Volumes: set(volumes) }),
    ...(workingDir !== undefined && { WorkingDir: workingDir }),
    ...(Object.keys(labels).length > 0 && { Labels: sorted(labels) }),
    ...(stopSignal !== undefined && { StopSignal: stopSignal }),
  }
}

/** How Go writes a set of strings. */
function set(names: readonly string[]): Readonly<Record<string, object>> {
  return sorted(Object.fromEntries(names.map((name) => [name, {}])))
}

export function sorted<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}
