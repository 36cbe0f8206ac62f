import { sha256 } from '../manifest/digest.js'
import { encodeJson, sorted } from './config.js'
import type { PackedLayer } from './layer.js'
import type { LayerCompression } from './new-image.js'

/** OCI image-spec, media-types.md; Docker's image manifest v2 schema 2. Both describe the same blobs. */
export type ManifestKind = 'oci' | 'docker'

const TYPES = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    none: 'application/vnd.oci.image.layer.v1.tar',
    gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
    zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    none: 'application/vnd.docker.image.rootfs.diff.tar',
    gzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    zstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  },
} as const

/** A blob that is small enough to be held. */
export interface SmallBlob {
  readonly bytes: Uint8Array
  readonly digest: string
  readonly mediaType: string
}

export function layerType(kind: ManifestKind, compression: LayerCompression): string {
  return TYPES[kind][compression]
}

export function configBlob(kind: ManifestKind, bytes: Uint8Array): SmallBlob {
  return { bytes, digest: sha256(bytes), mediaType: TYPES[kind].config }
}

export function encodeManifest(
  kind: ManifestKind,
  config: SmallBlob,
  layers: readonly PackedLayer[],
  compression: LayerCompression,
  annotations: Readonly<Record<string, string>> = {},
): SmallBlob {
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: TYPES[kind].manifest,
    config: { mediaType: TYPES[kind].config, digest: config.digest, size: config.bytes.length },
    layers: layers.map(({ digest, size }) => ({ mediaType: layerType(kind, compression), digest, size })),
    ...(kind === 'oci' && Object.keys(annotations).length > 0 && { annotations: sorted(annotations) }),
  })
  return { bytes, digest: sha256(bytes), mediaType: TYPES[kind].manifest }
}
