import { MAX_NAME } from './directory-entry.js'
import { treeError } from './errors.js'

const DOT = 0x2e

/** The bytes of a path's last component. @throws C2M_EXT4_TREE when they cannot be a name */
export function checkName(path: string, name: Uint8Array): Uint8Array {
  const isDots = name.length <= 2 && name.every((byte) => byte === DOT)
  if (isDots) throw treeError(path, 'has an impossible name')
  if (name.length > MAX_NAME) throw treeError(path, `has a name of ${name.length} bytes, more than ${MAX_NAME}`)
  if (name.includes(0)) throw treeError(path, 'has a NUL byte in its name')
  return name
}
