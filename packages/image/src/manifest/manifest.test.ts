import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseManifest } from './choice.js'
import { parseConfig } from './config.js'
import { parseDigest, sha256, verified, verifyBytes } from './digest.js'
import { parseManifest, type Descriptor } from './manifest.js'
import { layerCompression } from './media-type.js'
import { hostPlatform, parsePlatform, platformScore, type Platform } from './platform.js'

const HEX = '0'.repeat(64)
const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const blob = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${HEX}`, size: 2 }
const layer = { ...blob, mediaType: 'application/vnd.oci.image.layer.v1.tar' }
const manifest = { schemaVersion: 2, config: blob, layers: [layer] }
const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error

describe('parseManifest', () => {
  it('reads OCI and Docker manifests', () => {
    expect(parseManifest(json(manifest), undefined, 'x')).toMatchObject({
      kind: 'manifest',
      config: blob,
      layers: [layer],
    })
    const docker = {
      ...manifest,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: { ...blob, mediaType: 'application/vnd.docker.container.image.v1+json' },
    }
    expect(parseManifest(json(docker), undefined, 'x').kind).toBe('manifest')
    expect(parseManifest(json(manifest), 'application/vnd.oci.image.manifest.v1+json', 'x').kind).toBe('manifest')
  })

  it.each([
    ['an array', [], 'is not a JSON object'],
    ['another version', { ...manifest, schemaVersion: 3 }, 'schemaVersion of x is not 2'],
    ['manifest and index at once', { ...manifest, manifests: [] }, 'both a manifest and an index'],
    ['neither', { schemaVersion: 2 }, 'neither an image manifest nor an index'],
    [
      'an index that calls itself a manifest',
      { schemaVersion: 2, manifests: [], mediaType: 'application/vnd.oci.image.manifest.v1+json' },
      'although its media type',
    ],
    [
      'a manifest that calls itself an index',
      { ...manifest, mediaType: 'application/vnd.oci.image.index.v1+json' },
      'although its media type',
    ],
    ['layers of a wrong type', { ...manifest, layers: 'many' }, 'layers of x is not a JSON array'],
    ['too many layers', { ...manifest, layers: Array.from({ length: 1001 }, () => layer) }, 'more than the 1000'],
    [
      'a digest that climbs',
      { ...manifest, layers: [{ ...layer, digest: 'sha256:../../../etc/passwd' }] },
      'is no sha256 or sha512 digest',
    ],
    ['a short digest', { ...manifest, layers: [{ ...layer, digest: 'sha256:ab' }] }, 'is no sha256 or sha512 digest'],
    [
      'a digest in upper case',
      { ...manifest, layers: [{ ...layer, digest: `sha256:${'A'.repeat(64)}` }] },
      'is no sha256',
    ],
    ['a negative size', { ...manifest, layers: [{ ...layer, size: -1 }] }, 'is not a count of bytes'],
    ['a size with a fraction', { ...manifest, layers: [{ ...layer, size: 1.5 }] }, 'is not a count of bytes'],
    [
      'a size beyond what numbers hold',
      { ...manifest, layers: [{ ...layer, size: 2 ** 60 }] },
      'is not a count of bytes',
    ],
    [
      'annotations of a wrong type',
      { ...manifest, layers: [{ ...layer, annotations: { a: 1 } }] },
      "annotations of layers of x, number 1,['a'] is not a string",
    ],
    [
      'another artifact',
      { ...manifest, config: { ...blob, mediaType: 'application/vnd.cncf.helm.config.v1+json' } },
      'not a container image',
    ],
  ])('refuses %s', (_, document, why) => {
    const parse = () => parseManifest(json(document), undefined, 'x')
    expect(parse).toThrow(why)
    expect(parse).toThrow(code('C2M_IMAGE_MANIFEST'))
  })

  it('refuses schema 1 by version and by media type, not OCI manifests', () => {
    expect(() => parseManifest(json({ schemaVersion: 1, name: 'a', fsLayers: [] }), undefined, 'x')).toThrow(
      code('C2M_IMAGE_SCHEMA1'),
    )
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
    expect(() => parseManifest(json({ schemaVersion: 2 }), type, 'x')).toThrow(code('C2M_IMAGE_SCHEMA1'))
  })

  it('refuses what is not JSON without repeating it', () => {
    expect(() => parseManifest(Buffer.from('{"password'), undefined, 'x')).toThrow(/^x is not valid JSON$/)
    expect(() => parseManifest(Buffer.from([0x22, 0xff, 0x22]), undefined, 'x')).toThrow('x is not valid JSON')
    expect(() => parseManifest(Buffer.from('['.repeat(1_000_000)), undefined, 'x')).toThrow('x is not valid JSON')
  })

  it('fails on any JSON with its own errors only', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('config', 'layers', 'manifests', 'mediaType'), (text, key) => {
        const value: unknown = JSON.parse(text)
        for (const document of [value, { ...manifest, [key]: value }, { schemaVersion: 2, manifests: [value] }]) {
          try {
            parseManifest(json(document), undefined, 'x')
          } catch (error) {
            expect((error as { code: string }).code).toBe('C2M_IMAGE_MANIFEST')
          }
        }
      }),
    )
  })
})

describe('layerCompression', () => {
  it.each([
    ['application/vnd.oci.image.layer.v1.tar', 'none'],
    ['application/vnd.oci.image.layer.v1.tar+gzip', 'gzip'],
    ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd'],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip'],
  ])('%s', (type, compression) => expect(layerCompression(type, 'd', 'o')).toBe(compression))

  it.each([
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'not part of the image'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'not part of the image'],
    ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', 'unknown media type'],
    ['text/plain', 'unknown media type'],
  ])('refuses %s', (type, why) => {
    expect(() => layerCompression(type, 'd', 'o')).toThrow(why)
    expect(() => layerCompression(type, 'd', 'o')).toThrow(code('C2M_IMAGE_LAYER'))
  })
})

describe('parseConfig', () => {
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [`sha256:${HEX}`] } }

  it('reads what runs', () => {
    const run = {
      User: '1000:1000',
      Env: ['A=b'],
      Entrypoint: ['/init'],
      Cmd: null,
      WorkingDir: '/srv',
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGINT',
      Labels: { __proto__x: 'y' },
    }
    expect(parseConfig(json({ ...config, config: run }), 'c')).toMatchObject({
      architecture: 'amd64',
      diffIds: [`sha256:${HEX}`],
      config: {
        user: '1000:1000',
        env: ['A=b'],
        entrypoint: ['/init'],
        cmd: [],
        workingDir: '/srv',
        exposedPorts: ['80/tcp'],
        stopSignal: 'SIGINT',
        labels: { __proto__x: 'y' },
      },
    })
    expect(parseConfig(json(config), 'c').config).toEqual({
      env: [],
      entrypoint: [],
      cmd: [],
      exposedPorts: [],
      labels: {},
    })
  })

  it('is not polluted by keys that mean something to JavaScript', () => {
    const bytes = Buffer.from(
      JSON.stringify({ ...config, config: { Labels: {} } }).replace('"Labels":{}', '"Labels":{"__proto__":"x"}'),
    )
    expect(Object.keys(parseConfig(bytes, 'c').config.labels)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  it.each([
    ['no rootfs', { ...config, rootfs: undefined }, 'rootfs of c is not a JSON object'],
    ['a diff_id that climbs', { ...config, rootfs: { type: 'layers', diff_ids: ['sha256:../../x'] } }, 'is no digest'],
    ['Env of a wrong type', { ...config, config: { Env: [1] } }, 'Env of config of c[0] is not a string'],
    ['Labels of a wrong type', { ...config, config: { Labels: [] } }, 'is not a JSON object'],
    ['no architecture', { ...config, architecture: undefined }, 'architecture of c is not a string'],
  ])('refuses %s', (_, document, why) => {
    expect(() => parseConfig(json(document), 'c')).toThrow(why)
  })
})

describe('platforms', () => {
  it('reads --platform', () => {
    expect(parsePlatform('linux/arm/v7')).toEqual({ os: 'linux', architecture: 'arm', variant: 'v7' })
    expect(parsePlatform('aarch64')).toEqual({ os: 'linux', architecture: 'arm64' })
    expect(hostPlatform('x64')).toEqual({ os: 'linux', architecture: 'amd64' })
    for (const bad of ['', 'a/b/c/d', 'linux/', 'linux/../x y'])
      expect(() => parsePlatform(bad)).toThrow(code('C2M_PLATFORM'))
  })

  const best = (wanted: string, ...offered: string[]) => {
    const scored = offered.map((text) => ({ text, score: platformScore(parsePlatform(wanted), parsePlatform(text)) }))
    return scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score)[0]?.text
  }
  it.each([
    ['linux/arm64', ['linux/amd64', 'linux/arm64/v8'], 'linux/arm64/v8'],
    ['linux/arm64/v8', ['linux/arm64'], 'linux/arm64'],
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v6'],
    ['linux/arm/v6', ['linux/arm/v7'], undefined],
    ['linux/arm', ['linux/arm/v7', 'linux/arm/v6'], 'linux/arm/v6'],
    ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 'linux/amd64'],
    ['linux/amd64', ['windows/amd64', 'linux/386'], undefined],
  ])('%s of %j is %s', (wanted, offered, chosen) => expect(best(wanted, ...offered)).toBe(chosen))
})

describe('chooseManifest', () => {
  const amd64: Platform = { os: 'linux', architecture: 'amd64' }
  const documents = new Map<string, Buffer>()
  const add = (document: object, platform?: Platform, annotations = {}): Descriptor => {
    const bytes = json(document)
    documents.set(sha256(bytes), bytes)
    return { mediaType: '', digest: sha256(bytes), size: bytes.length, platform, annotations }
  }
  const index = (...manifests: Descriptor[]) => ({ schemaVersion: 2, manifests })
  const read = async ({ digest }: Descriptor) => documents.get(digest)!
  const image = (name: string) => ({ ...manifest, annotations: { name } })

  it('walks nested indexes and skips attestations', async () => {
    const attestation = add(image('sbom'), { os: 'unknown', architecture: 'unknown' })
    const marked = add(image('marked'), amd64, { 'vnd.docker.reference.type': 'attestation-manifest' })
    const wanted = add(image('wanted'), amd64)
    const other = add(image('other'), { os: 'linux', architecture: 'arm64' })
    const inner = add(index(attestation, marked, other, wanted))
    const found = await chooseManifest([add(index(inner))], amd64, read, 'x')
    expect(found.digest).toBe(wanted.digest)
  })

  it('says what is there when nothing fits', async () => {
    const only = add(index(add(image('arm'), { os: 'linux', architecture: 'arm64', variant: 'v8' })))
    await expect(chooseManifest([only], amd64, read, 'x')).rejects.toThrow(
      'x has no image for linux/amd64; it has linux/arm64/v8',
    )
    await expect(chooseManifest([], amd64, read, 'x')).rejects.toThrow(code('C2M_IMAGE_PLATFORM'))
  })

  it('ends on circles and on deep chains', async () => {
    // a reader that lies: every index leads to itself
    const loop: Descriptor = { mediaType: '', digest: `sha256:${HEX}`, size: 1, annotations: {} }
    await expect(chooseManifest([loop], amd64, async () => json(index(loop)), 'x')).rejects.toThrow(
      'nested more than 4 deep',
    )
    const wide = async () => json(index(...Array.from({ length: 60 }, () => loop)))
    await expect(chooseManifest([loop], amd64, wide, 'x')).rejects.toThrow(code('C2M_IMAGE_MANIFEST'))
  })
})

describe('digests', () => {
  it('refuses names that are no digests', () => {
    for (const bad of ['sha256:../../x', `sha256:${HEX}/..`, `sha256:${HEX}\n`, `sha1:${HEX}`, `sha512:${HEX}`, '']) {
      expect(() => parseDigest(bad, 'it')).toThrow(code('C2M_IMAGE_MANIFEST'))
    }
    expect(parseDigest(`sha512:${HEX}${HEX}`, 'it')).toEqual({ algorithm: 'sha512', hex: HEX + HEX })
  })

  it('finds any changed, missing or extra byte', async () => {
    async function* stream(bytes: Uint8Array, step: number) {
      for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
    }
    const drain = async (source: AsyncIterable<Uint8Array>) => {
      const chunks = []
      for await (const chunk of source) chunks.push(chunk)
      return Buffer.concat(chunks)
    }
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        fc.nat(),
        fc.integer({ min: 1, max: 40 }),
        async (bytes, at, step) => {
          const expected = { digest: sha256(bytes), size: bytes.length }
          expect(await drain(verified(stream(bytes, step), expected, 'o'))).toEqual(Buffer.from(bytes))
          verifyBytes(bytes, expected, 'o')
          const changed = Uint8Array.from(bytes)
          changed[at % bytes.length]! ^= 1
          for (const bad of [changed, bytes.subarray(1), Buffer.concat([bytes, Buffer.of(0)])]) {
            await expect(drain(verified(stream(bad, step), expected, 'o'))).rejects.toThrow(
              code('C2M_IMAGE_DIGEST_MISMATCH'),
            )
            expect(() => verifyBytes(bad, expected, 'o')).toThrow(code('C2M_IMAGE_DIGEST_MISMATCH'))
          }
        },
      ),
    )
  })
})
