import { editText, readText, relativePath } from '@c2m/linux'
import type { RootfsEdit } from '@c2m/plugin-api'

const DIVERSIONS = 'var/lib/dpkg/diversions'
/** Bytes; what images put in a program's place is a few lines. */
const LONGEST_STAND_IN = 16 * 1024

/**
 * Undoes `dpkg-divert --local --rename --add PATH` where something else then got the path: a link with the given target, or a
 * short script that the expression knows. Whatever else is there stays, and then the diversion does, too.
 */
export async function undivert(
  edit: RootfsEdit,
  path: string,
  standIn: { readonly target?: string; readonly script: RegExp },
): Promise<void> {
  const name = relativePath(path)
  const there = await edit.stat(name)
  const isStandIn =
    there === undefined ||
    (there.type === 'symlink' && there.linkTarget === standIn.target) ||
    (there.type === 'file' &&
      there.size <= LONGEST_STAND_IN &&
      standIn.script.test((await readText(edit, name, LONGEST_STAND_IN)) ?? ''))
  if (!isStandIn) return
  let diverted: string | undefined
  await editText(edit, DIVERSIONS, (text) => {
    // three lines each: the path, where it went, who diverted it (':' for the administrator)
    const lines = text.split('\n')
    const at = lines.findIndex((line, index) => index % 3 === 0 && line === path && lines[index + 2] === ':')
    if (at === -1) return text
    diverted = lines[at + 1]
    return [...lines.slice(0, at), ...lines.slice(at + 3)].join('\n')
  })
  if (diverted === undefined) return
  if (there !== undefined) await edit.remove(name)
  const original = relativePath(diverted)
  if ((await edit.stat(original))?.type !== 'file') return
  await edit.link(original, name)
  await edit.remove(original)
}
