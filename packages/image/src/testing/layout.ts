import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** A folder for one test, removed when the scope ends. */
export async function temporary(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'c2m-image-test.'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export function digestOf(bytes: Uint8Array | string, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

/** A ustar archive with regular files only. */
export function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const body = Buffer.from(content)
    return [tarHeader(name, body.length), body, Buffer.alloc((512 - (body.length % 512)) % 512)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

export function tarHeader(name: string, size: number, type = '0', link = ''): Buffer {
  const header = Buffer.alloc(512)
  const put = (text: string, offset: number) => header.write(text, offset, 'latin1')
  put(name, 0)
  put('0000644\0' + '0000000\0'.repeat(2), 100)
  put(size.toString(8).padStart(11, '0') + '\0' + '00000000000\0', 124)
  put(' '.repeat(8) + type + link, 148)
  put('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(sum.toString(8).padStart(6, '0') + '\0 ', 148)
  return header
}

export interface LayoutOptions {
  /** Uncompressed tars; default one layer with one file. */
  layers?: readonly Uint8Array[]
  pack?: (tar: Uint8Array) => Uint8Array
  mediaType?: string
  config?: object
  manifest?: object
  platform?: { os: string; architecture: string; variant?: string }
  refName?: string
}

/** Writes OCI layouts that hold what a test needs, also what no tool would write. */
export class LayoutBuilder {
  readonly manifests: object[] = []

  constructor(readonly path: string) {}

  async blob(bytes: Uint8Array | string): Promise<{ digest: string; size: number }> {
    const digest = digestOf(bytes)
    await mkdir(join(this.path, 'blobs/sha256'), { recursive: true })
    await writeFile(join(this.path, 'blobs/sha256', digest.slice(7)), bytes)
    return { digest, size: Buffer.byteLength(bytes) }
  }

  async image(options: LayoutOptions = {}): Promise<{ digest: string; layers: { digest: string; size: number }[] }> {
    const { pack = gzipSync, platform = { os: 'linux', architecture: 'amd64' } } = options
    const tars = options.layers ?? [tarOf({ 'etc/hello': 'hello\n' })]
    const layers = []
    for (const tar of tars) {
      const mediaType = options.mediaType ?? 'application/vnd.oci.image.layer.v1.tar+gzip'
      layers.push({ mediaType, ...(await this.blob(pack(tar))) })
    }
    const rootfs = { type: 'layers', diff_ids: tars.map((tar) => digestOf(tar)) }
    const config = await this.blob(JSON.stringify({ ...platform, rootfs, ...options.config }))
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers,
      ...options.manifest,
    }
    const { digest, size } = await this.blob(JSON.stringify(manifest))
    const annotations = options.refName === undefined ? {} : { 'org.opencontainers.image.ref.name': options.refName }
    this.manifests.push({ mediaType: manifest.mediaType, digest, size, platform, annotations })
    return { digest, layers }
  }

  async write(index: object = {}): Promise<void> {
    await mkdir(this.path, { recursive: true })
    await writeFile(join(this.path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    await writeFile(
      join(this.path, 'index.json'),
      JSON.stringify({ schemaVersion: 2, manifests: this.manifests, ...index }),
    )
  }
}
