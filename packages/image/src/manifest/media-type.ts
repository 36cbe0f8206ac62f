import { C2mError } from '@c2m/process'

/** How a layer's tar is packed. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2'

/** OCI image-spec, media-types.md; Docker image manifest v2 schema 2. */
export const INDEX_TYPES: readonly string[] = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]
export const MANIFEST_TYPES: readonly string[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]
export const CONFIG_TYPES: readonly string[] = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  // what some builders write when they mean one of the above
  'application/octet-stream',
]

const LAYERS: Readonly<Record<string, Compression>> = {
  'application/vnd.oci.image.layer.v1.tar': 'none',
  'application/vnd.oci.image.layer.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd': 'zstd',
  'application/vnd.docker.image.rootfs.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': 'gzip',
  'application/vnd.docker.image.rootfs.diff.tar.zstd': 'zstd',
}

/**
 * What the media type promises; the content's magic number has the last word.
 * @throws C2M_IMAGE_LAYER for layers that are not in the image (foreign) or not a tar
 */
export function layerCompression(mediaType: string, digest: string, origin: string): Compression {
  const known = LAYERS[mediaType]
  if (known !== undefined) return known
  if (/nondistributable|\.foreign\./.test(mediaType)) {
    throw new C2mError('C2M_IMAGE_LAYER', `the layer ${digest} of ${origin} is not part of the image (${mediaType})`, {
      hint: 'foreign layers belong to Windows images or to vendors; c2m converts Linux images that are complete',
    })
  }
  throw new C2mError(
    'C2M_IMAGE_LAYER',
    `the layer ${digest} of ${origin} has the unknown media type '${mediaType.slice(0, 200)}'`,
    {
      hint: mediaType.includes('encrypted')
        ? 'decrypt the image first, e.g. with skopeo copy --decryption-key'
        : 'c2m reads layers that are tar, tar+gzip or tar+zstd; this may be an artifact that is no container image',
    },
  )
}
