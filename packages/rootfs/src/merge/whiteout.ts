import { C2mError } from '@c2m/process'
import { baseName, parentOf } from '../name/path.js'

const PREFIX = '.wh.'
const OPAQUE = '.wh..wh..opq'
/** aufs' own bookkeeping: .wh..wh.aufs, .wh..wh.orph, .wh..wh.plnk and what is in them. */
const RESERVED = '.wh..wh.'

/**
 * What a layer's entry does to the layers below it (OCI image specification, layer.md, "Whiteouts"): remove one name, or
 * all that a directory held; 'ignored' is aufs' bookkeeping, undefined an entry like any other.
 */
export type Whiteout =
  | { readonly kind: 'whiteout'; readonly directory: string; readonly name: string }
  | { readonly kind: 'opaque'; readonly directory: string }
  | { readonly kind: 'ignored' }

/** @throws C2M_LAYER_WHITEOUT when it names no entry, as '.wh...' would name the parent of its directory */
export function parseWhiteout(path: string): Whiteout | undefined {
  if (!path.includes(PREFIX)) return undefined
  const directory = parentOf(path)
  const name = baseName(path)
  const parents = directory.split('/')
  if (parents.some((part) => part.startsWith(RESERVED))) return { kind: 'ignored' }
  if (parents.some((part) => part.startsWith(PREFIX))) throw badWhiteout(path)
  if (name === OPAQUE) return { kind: 'opaque', directory }
  if (name.startsWith(RESERVED)) return { kind: 'ignored' }
  if (!name.startsWith(PREFIX)) return undefined
  const hidden = name.slice(PREFIX.length)
  if (hidden === '' || hidden === '.' || hidden === '..') throw badWhiteout(path)
  return { kind: 'whiteout', directory, name: hidden }
}

function badWhiteout(path: string): C2mError {
  return new C2mError('C2M_LAYER_WHITEOUT', `the layer's whiteout ${JSON.stringify(path)} names no entry`, {
    hint: 'the image is damaged or hostile; pull or export it again',
  })
}
