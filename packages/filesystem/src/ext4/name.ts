import { treeError } from './errors.js'
import { MAX_NAME } from './directory-entry.js'

const ESCAPE = 0xdc00

/**
 * The bytes of a name or link target: UTF-8, lone surrogates U+DC80 to U+DCFF as the bytes 0x80 to 0xff.
 * Undefined when another surrogate stands alone.
 */
export function encodeText(text: string): Buffer | undefined {
  if (!/[\ud800-\udfff]/.test(text)) return Buffer.from(text)
  const parts: Uint8Array[] = []
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(Uint8Array.of(code - ESCAPE))
    else if (code >= 0xd800 && code <= 0xdfff) return undefined
    else parts.push(Buffer.from(character))
  }
  return Buffer.concat(parts)
}

/** The bytes of a path's last component. @throws C2M_EXT4_TREE when it cannot be a name */
export function encodeName(path: string, name: string): Buffer {
  const bytes = encodeText(name)
  if (bytes === undefined) throw treeError(path, 'has a name that cannot be written as bytes')
  if (bytes.length === 0 || name === '.' || name === '..') throw treeError(path, 'has an impossible name')
  if (bytes.length > MAX_NAME) throw treeError(path, `has a name of ${bytes.length} bytes, more than ${MAX_NAME}`)
  if (bytes.includes(0)) throw treeError(path, 'has a NUL byte in its name')
  return bytes
}
