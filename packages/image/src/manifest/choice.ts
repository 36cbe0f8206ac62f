import { badJson } from './json.js'
import { parseManifest, type Descriptor, type ImageManifest } from './manifest.js'
import { platformError, platformScore, type Platform } from './platform.js'

/** Nested indexes are rare; a chain longer than this, or a circle, is hostile. */
const MAX_DEPTH = 4
/** Indexes and manifests read for one image. */
const MAX_DOCUMENTS = 64

export interface FoundManifest {
  readonly manifest: ImageManifest
  readonly digest: string
}

/** Reads a manifest's or index's bytes, verified against the descriptor's digest. */
export type ReadManifest = (descriptor: Descriptor) => Promise<Uint8Array>

/**
 * Walks from the given descriptors through indexes down to the one manifest for the platform. A manifest whose platform
 * is not stated is taken when nothing stated fits; its configuration is checked later.
 * @throws C2M_IMAGE_PLATFORM listing what is there; C2M_IMAGE_MANIFEST
 */
export async function chooseManifest(
  start: readonly Descriptor[],
  platform: Platform,
  read: ReadManifest,
  origin: string,
): Promise<FoundManifest> {
  const offered: Platform[] = []
  let documents = 0

  const visit = async (descriptors: readonly Descriptor[], depth: number): Promise<FoundManifest | undefined> => {
    if (depth > MAX_DEPTH) throw badJson(origin, `has indexes nested more than ${MAX_DEPTH} deep`)
    const images = descriptors.filter((descriptor) => !isAttestation(descriptor))
    for (const { platform: stated } of images) if (stated) offered.push(stated)
    for (const descriptor of bestFirst(images, platform)) {
      if (++documents > MAX_DOCUMENTS) throw badJson(origin, `has more than ${MAX_DOCUMENTS} manifests to look through`)
      const where = `${descriptor.digest} of ${origin}`
      const parsed = parseManifest(await read(descriptor), descriptor.mediaType, where)
      if (parsed.kind === 'manifest') return { manifest: parsed, digest: descriptor.digest }
      const found = await visit(parsed.manifests, depth + 1)
      if (found !== undefined) return found
    }
    return undefined
  }

  const found = await visit(start, 0)
  if (found === undefined) throw platformError(platform, offered, origin)
  return found
}

/** What fits the platform, the best first, then what states none. */
function bestFirst(descriptors: readonly Descriptor[], platform: Platform): readonly Descriptor[] {
  const scored = descriptors.map((descriptor) => ({
    descriptor,
    score: descriptor.platform === undefined ? 0.5 : platformScore(platform, descriptor.platform),
  }))
  return scored
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ descriptor }) => descriptor)
}

/** BuildKit puts provenance and SBOMs beside the images, for the platform 'unknown/unknown'. */
export function isAttestation(descriptor: Descriptor): boolean {
  return (
    descriptor.annotations['vnd.docker.reference.type'] === 'attestation-manifest' ||
    (descriptor.platform?.os === 'unknown' && descriptor.platform.architecture === 'unknown')
  )
}
