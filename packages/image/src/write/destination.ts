import { usageError } from '@c2m/process'
import { parseReference, type ImageReference } from '../reference/reference.js'
import { familiarName, parseRegistryName, type RegistryName } from '../reference/registry-name.js'

/** Where an image can be written. A path '-' is standard output. */
export type Destination =
  | { readonly transport: 'docker-archive'; readonly path: string; readonly name?: RegistryName }
  | { readonly transport: 'oci' | 'oci-archive'; readonly path: string; readonly ref?: string }
  | { readonly transport: 'docker-daemon' | 'docker'; readonly image: RegistryName }
  | { readonly transport: 'dockerfile' | 'tarball'; readonly path: string }

const FORMS =
  'docker-archive:FILE[:NAME:TAG], oci:DIR[:REF], oci-archive:FILE[:REF], docker-daemon:NAME:TAG, docker://HOST/NAME:TAG, dockerfile:DIR, tarball:FILE'

/**
 * A destination as the user wrote it; a bare path that ends in .tar is an archive for Docker.
 * @throws C2M_IMAGE_REFERENCE, C2M_IMAGE_DESTINATION (usage)
 */
export function parseDestination(text: string): Destination {
  return destinationOf(parseReference(text))
}

/** @throws C2M_IMAGE_DESTINATION (usage) */
export function destinationOf(reference: ImageReference): Destination {
  const { text } = reference
  switch (reference.transport) {
    case 'docker-archive': {
      const { path, choice } = reference
      if (choice.index !== undefined) throw notWritable(text, 'a position in an archive can only be read')
      return { transport: 'docker-archive', path, ...(choice.name && { name: tagged(choice.name, text) }) }
    }
    case 'oci':
    case 'oci-archive': {
      const { transport, path, choice } = reference
      if (choice.digest !== undefined || choice.index !== undefined)
        throw notWritable(text, 'only a name can be chosen for a new image')
      return { transport, path, ...(choice.tag !== undefined && { ref: choice.tag }) }
    }
    case 'docker-daemon':
      if ('id' in reference.image) throw notWritable(text, "an image's id follows from its content; name it")
      return { transport: 'docker-daemon', image: tagged(reference.image, text) }
    case 'docker':
      return { transport: 'docker', image: tagged(reference.image, text) }
    case 'dockerfile':
    case 'tarball':
      return { transport: reference.transport, path: reference.path }
    case 'bare':
      if (reference.path?.endsWith('.tar') === true) return { transport: 'docker-archive', path: reference.path }
      throw notWritable(text, 'it does not say in which form')
    default:
      throw notWritable(text, `${reference.transport}: can only be read`)
  }
}

/** Names of the image, in the order given, none twice. @throws C2M_IMAGE_REFERENCE (usage) */
export function parseTags(tags: readonly string[]): readonly RegistryName[] {
  const names = tags.map((text) => tagged(parseRegistryName(text), text))
  return [...new Map(names.map((name) => [familiarName(name), name])).values()]
}

function tagged(name: RegistryName, text: string): RegistryName {
  if (name.digest !== undefined) throw notWritable(text, 'a digest follows from the content; name a tag')
  return { ...name, tag: name.tag ?? 'latest' }
}

function notWritable(text: string, why: string) {
  return usageError('C2M_IMAGE_DESTINATION', `no image can be written to '${text}': ${why}`, `write one of ${FORMS}`)
}
