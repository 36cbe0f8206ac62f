import type { ImageConfig } from '@c2m/plugin-api'
import { isDigest } from './digest.js'
import {
  asArray,
  asObject,
  asString,
  badJson,
  optionalString,
  parseJson,
  stringList,
  stringMap,
  type JsonObject,
} from './json.js'

/** An image's configuration (OCI image-spec, config.md; Docker's is the same with more fields). */
export interface ParsedConfig {
  readonly architecture: string
  readonly os: string
  readonly variant?: string
  readonly config: ImageConfig
  readonly diffIds: readonly string[]
  readonly raw: JsonObject
}

export const EMPTY_CONFIG: ImageConfig = { env: [], entrypoint: [], cmd: [], exposedPorts: [], labels: {} }

/** @throws C2M_IMAGE_MANIFEST */
export function parseConfig(bytes: Uint8Array, where: string): ParsedConfig {
  const raw = asObject(parseJson(bytes, where), where)
  const rootfs = asObject(raw.rootfs, `rootfs of ${where}`)
  if (rootfs.type !== undefined && rootfs.type !== 'layers') throw badJson(`rootfs.type of ${where}`, "is not 'layers'")
  const diffIds = asArray(rootfs.diff_ids ?? [], `rootfs.diff_ids of ${where}`, 1000).map((item, index) => {
    const digest = asString(item, `rootfs.diff_ids[${index}] of ${where}`)
    if (!isDigest(digest))
      throw badJson(`rootfs.diff_ids[${index}] of ${where}`, `is no digest: '${digest.slice(0, 200)}'`)
    return digest
  })
  const variant = optionalString(raw.variant, `variant of ${where}`)
  return {
    architecture: asString(raw.architecture, `architecture of ${where}`),
    os: asString(raw.os, `os of ${where}`),
    ...(variant !== undefined && { variant }),
    config: parseRunConfig(raw.config, `config of ${where}`),
    diffIds,
    raw,
  }
}

/** The `config` object: what runs, and how. Docker's API writes a container's in the same shape. */
export function parseRunConfig(value: unknown, where: string): ImageConfig {
  if (value === undefined || value === null) return EMPTY_CONFIG
  const object = asObject(value, where)
  const user = optionalString(object.User, `User of ${where}`)
  const workingDir = optionalString(object.WorkingDir, `WorkingDir of ${where}`)
  const stopSignal = optionalString(object.StopSignal, `StopSignal of ${where}`)
  const ports = object.ExposedPorts
  return {
    ...(user !== undefined && { user }),
    env: stringList(object.Env, `Env of ${where}`),
    entrypoint: stringList(object.Entrypoint, `Entrypoint of ${where}`),
    cmd: stringList(object.Cmd, `Cmd of ${where}`),
    ...(workingDir !== undefined && { workingDir }),
    exposedPorts: ports === undefined || ports === null ? [] : Object.keys(asObject(ports, `ExposedPorts of ${where}`)),
    ...(stopSignal !== undefined && { stopSignal }),
    labels: stringMap(object.Labels, `Labels of ${where}`),
  }
}
