import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { C2mError } from '@c2m/process'
import { cleanPath, readTar, type TarMember, type TarReadOptions } from '@c2m/rootfs'
import type { Body } from '@c2m/plugin-api'

const MAX_MANIFEST = 4 * 1024 * 1024

/**
 * The members of the last layer in an archive of `docker save` or `podman save` (Docker image specification v1.2,
 * "Combined Image JSON + Filesystem Changeset Format"): manifest.json names the layers' files, the base first.
 * @throws C2M_SANDBOX_ENGINE when there is no such layer
 */
export async function* readTopLayer(path: string, options: TarReadOptions): AsyncGenerator<TarMember> {
  const name = await topLayerName(path)
  if (name === undefined) return
  for await (const member of readTar(createReadStream(path))) {
    if (cleanPath(member.path) !== name || member.type !== 'file') continue
    yield* readTar(unpacked(bytesOf(member.body, member.size)), options)
    return
  }
  throw badArchive(`it has no file ${name}`)
}

/** Undefined when the base is all there is: nothing was changed. */
async function topLayerName(path: string): Promise<string | undefined> {
  for await (const member of readTar(createReadStream(path))) {
    if (cleanPath(member.path) !== 'manifest.json') continue
    if (member.size > MAX_MANIFEST) throw badArchive(`its manifest.json has ${member.size} bytes`)
    const chunks: Uint8Array[] = []
    for await (const chunk of bytesOf(member.body, member.size)) chunks.push(Buffer.from(chunk))
    const layers = layersIn(Buffer.concat(chunks).toString('utf8'))
    if (layers.length === 0) throw badArchive('its manifest.json names no layers')
    return layers.length === 1 ? undefined : cleanPath(layers.at(-1) ?? '')
  }
  throw badArchive('it has no manifest.json')
}

function layersIn(text: string): string[] {
  try {
    const [image] = JSON.parse(text) as [{ Layers?: unknown }?]
    const layers = image?.Layers
    return Array.isArray(layers) ? layers.filter((layer) => typeof layer === 'string') : []
  } catch {
    return []
  }
}

async function* bytesOf(body: Body, size: number): AsyncGenerator<Uint8Array> {
  let at = 0
  for await (const { offset, data } of body) {
    if (offset !== at) throw badArchive('a file in it has holes')
    // the memory of an extent may be reused
    yield Buffer.from(data)
    at += data.length
  }
  if (at !== size) throw badArchive('a file in it is too short')
}

/** Engines with a content store save layers as they are stored, compressed with gzip or not. */
async function* unpacked(source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const first = await source.next()
  if (first.done === true) return
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield first.value as Uint8Array
    yield* source
  }
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield* whole()
    return
  }
  const gunzip = createGunzip()
  const input = Readable.from(whole(), { objectMode: false })
  input.once('error', (error) => gunzip.destroy(error))
  yield* input.pipe(gunzip) as AsyncIterable<Uint8Array>
}

function badArchive(because: string): C2mError {
  return new C2mError('C2M_SANDBOX_ENGINE', `the container engine saved an image that cannot be used: ${because}`, {
    hint: 'try another version of it, or use --sandbox userns',
  })
}
