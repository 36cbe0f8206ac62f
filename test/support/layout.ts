import { createReadStream, createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'

type Descriptors = Readonly<Record<string, readonly { readonly digest: string }[]>>

/** The file of the only layer, as gzip, of an OCI layout with one image. */
export async function onlyLayer(layout: string): Promise<string> {
  const blob = (digest = '') => join(layout, 'blobs', ...digest.split(':'))
  const read = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Descriptors
  const manifest = (await read(join(layout, 'index.json')))['manifests']?.[0]
  return blob((await read(blob(manifest?.digest)))['layers']?.[0]?.digest)
}

/** The same, uncompressed into `tar`. */
export async function unpackOnlyLayer(layout: string, tar: string): Promise<void> {
  await pipeline(createReadStream(await onlyLayer(layout)), createGunzip(), createWriteStream(tar))
}
