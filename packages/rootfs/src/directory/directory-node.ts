import { encodeName } from '../name/bytes.js'
import type { Metadata, TreeNode } from '../tree/node.js'

/** Where a file was when the directory was read; its body is only read from the same one. */
export interface DirectoryMetadata extends Metadata {
  readonly diskInode: bigint
  /** Fewer blocks are allotted than the size takes. */
  readonly isSparse: boolean
}

export type DirectoryNode = TreeNode<DirectoryMetadata>

/** As bytes, since a name need not be UTF-8. */
export function diskPath(top: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${top}/`), encodeName(path)])
}
