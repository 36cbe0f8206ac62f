import type { Body, NewBody } from '@c2m/plugin-api'
import { compareNames } from '../name/order.js'
import { joinPath } from '../name/path.js'
import type { Metadata } from '../tree/node.js'

/** What a name that was put or linked stands for: a file of its own, or one of the base under another name. */
export type Content =
  | { readonly kind: 'own'; readonly inode: number; readonly metadata: Metadata; readonly body: NewBody | undefined }
  | { readonly kind: 'base'; readonly path: string }

/** A name that an edit touched, or a directory above one. */
export interface OverlayNode {
  /** Undefined: the base's own entry, or nothing when that is hidden. */
  content: Content | undefined
  /** The base's entry of this name, and all below it, does not show through. */
  hidesBase: boolean
  /** Whether the base has this name. */
  readonly inBase: boolean
  readonly children: Map<string, OverlayNode>
}

export function overlayNode(inBase: boolean): OverlayNode {
  return { content: undefined, hidesBase: false, inBase, children: new Map() }
}

export interface OverlayPlace {
  /** Undefined where the edit touched nothing. */
  readonly node: OverlayNode | undefined
  /** Whether the base shows through at this path. */
  readonly showsBase: boolean
}

/** By a path that is free of links. */
export function findPlace(root: OverlayNode, path: string): OverlayPlace {
  let node: OverlayNode | undefined = root
  let showsBase = !root.hidesBase
  for (const name of path === '' ? [] : path.split('/')) {
    // below a name that became something else, the base's names of the same path are others
    if (node?.content !== undefined && !isDirectory(node.content)) showsBase = false
    node = node?.children.get(name)
    if (node?.hidesBase === true) showsBase = false
  }
  return { node, showsBase: showsBase && node?.content === undefined }
}

export function isDirectory(content: Content): boolean {
  return content.kind === 'own' && content.metadata.type === 'directory'
}

/** Every touched name in the order of a walk. */
export function* walkOverlay(node: OverlayNode, path = ''): Generator<{ node: OverlayNode; path: string }> {
  yield { node, path }
  for (const name of [...node.children.keys()].sort(compareNames)) {
    yield* walkOverlay(node.children.get(name)!, joinPath(path, name))
  }
}

async function* openBody(body: NewBody | undefined): AsyncGenerator<{ offset: number; data: Uint8Array }> {
  if (body === undefined) return
  if (!(body instanceof Uint8Array)) yield* body.open()
  else if (body.length > 0) yield { offset: 0, data: body }
}

export function bodyOf(body: NewBody | undefined): Body {
  return { [Symbol.asyncIterator]: () => openBody(body) }
}

export function bodySize(body: NewBody | undefined): number {
  if (body === undefined) return 0
  return body instanceof Uint8Array ? body.length : body.size
}
