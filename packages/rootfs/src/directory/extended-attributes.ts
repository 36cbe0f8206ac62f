import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { C2mError, makeSweptFolder, requireTool, run, temporaryParent, throwIfAborted } from '@c2m/process'
import { decodeName } from '../name/bytes.js'
import type { TreeBudget } from '../tree/budget.js'

const FILE_LINE = '# file: '

/**
 * The extended attributes of all files below a directory, by path. Node has no call for them, so getfattr(1) reads them:
 * a line '# file: PATH', then a line NAME=0xHEX each, then an empty one, with '\ooo' for special bytes in both names. Only
 * files that have attributes appear. Ordinary users see no trusted.* ones.
 * @throws C2M_TOOL_MISSING; C2M_COMMAND_FAILED; C2M_TREE_TOO_LARGE; C2M_INTERRUPTED
 */
export async function readExtendedAttributes(
  directory: string,
  budget: TreeBudget,
  signal: AbortSignal | undefined,
): Promise<Map<string, Map<string, Uint8Array>>> {
  const getfattr = await requireTool('getfattr', 'reading the extended attributes of a folder', 'attr')
  await using folder = await makeSweptFolder(await temporaryParent(), 'c2m-attributes')
  const output = join(folder.path, 'attributes')
  // through a file, since paths are bytes and the text may be long
  const script =
    'cd -- "$1" && exec "$0" --recursive --physical --no-dereference --dump --match=- --encoding=hex . >"$2"'
  await run('/bin/sh', ['-c', script, getfattr, directory, output], { signal })
  const attributes = new Map<string, Map<string, Uint8Array>>()
  let current = new Map<string, Uint8Array>()
  // latin1 keeps bytes as they are
  for await (const line of createInterface({ input: createReadStream(output, 'latin1'), crlfDelay: 0 })) {
    throwIfAborted(signal)
    budget.keep(line.length)
    if (line.startsWith(FILE_LINE)) {
      current = new Map()
      attributes.set(unescape(line.slice(FILE_LINE.length)).replace(/^\.$/, ''), current)
    } else if (line !== '') addAttribute(current, line)
  }
  return attributes
}

function addAttribute(attributes: Map<string, Uint8Array>, line: string): void {
  const match = /^([^=]+)=(?:0x((?:[0-9a-f]{2})*))?$/.exec(line)
  if (match === null) {
    throw new C2mError('C2M_DIRECTORY_ATTRIBUTES', `getfattr printed the line ${JSON.stringify(line)}`, {
      hint: 'only getfattr of the package attr is understood',
    })
  }
  attributes.set(unescape(match[1]!), new Uint8Array(Buffer.from(match[2] ?? '', 'hex')))
}

function unescape(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))
  return decodeName(Buffer.from(bytes, 'latin1'))
}
