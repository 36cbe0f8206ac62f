import { ancestors, errno, foreignWriter, foreignWriterWithin } from '@c2m/process'
import { access, realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/**
 * The directory of a package, without links, whose code nobody but this user and root can change: what is in it, the
 * entry that is to be imported, and every node_modules in which Node looks for what those import.
 * @throws Error that says who else can
 */
export async function ownPackage(folder: string, entry = 'package.json'): Promise<string> {
  const root = await realpath(folder)
  await refuse(foreignWriter(root))
  await refuse(foreignWriterWithin(root, ['node_modules', '.git']))
  const path = await realpath(resolve(root, entry))
  await refuse(foreignWriter(dirname(path)))
  await refuse(foreignWriter(path))
  for (const above of new Set([root, ...ancestors(root), ...ancestors(path)])) {
    const modules = await realpath(join(above, 'node_modules')).catch(missing)
    if (modules !== undefined) await refuse(foreignWriter(modules))
  }
  return root
}

/**
 * The nearest directory at a path or above it that has an entry of this name, without links.
 * @throws Error when there is none
 */
export async function nearest(path: string, entry: string): Promise<string> {
  for (const one of [path, ...ancestors(path)])
    if (await access(join(one, entry)).then(() => true, missing)) return realpath(one)
  throw new Error(`there is no ${entry} in it, nor above it`)
}

/** @throws Error that says who else can write there, or decide what is there */
export async function refuse(reason: Promise<string | undefined>): Promise<void> {
  const text = await reason
  if (text !== undefined) throw new Error(`others could change its code: ${text}`)
}

function missing(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR'].includes(errno(error) ?? '')) throw error
}
