import { lstat, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import {
  C2mError,
  errno,
  fileError,
  finishFile,
  isC2mError,
  makeOutputFolder,
  moveUnlessThere,
  OUTPUT_PREFIX,
  usageError,
} from '@c2m/process'

/** Files of one folder that come into being together. */
export interface OutputFolder extends AsyncDisposable {
  /** Whether there is such a folder already. */
  readonly exists: boolean
  /** A path for a file whose name is not known yet. */
  scratch(name: string): string
  /** Where to write a file; `name` is relative to the folder, and so may be in a folder of its own. */
  place(name: string): Promise<string>
  /**
   * Moves the files to their places: with their folder when that is new, else one after the other in the order in which
   * they were placed, so the one that names the others comes last.
   */
  commit(): Promise<void>
}

/**
 * @param replace whether files of the same names are replaced in a folder that exists
 * @throws C2M_OUTPUT_NOT_A_FOLDER (usage), C2M_OUTPUT_LINK, C2M_FILE_… when it cannot be written; of `commit`
 *   C2M_OUTPUT_EXISTS (usage)
 */
export async function outputFolder(finalPath: string, replace: boolean): Promise<OutputFolder> {
  const target = resolve(finalPath)
  const exists = await isFolder(target, finalPath)
  const temporary = await makeOutputFolder(exists ? target : dirname(target), finalPath)
  // a folder in the temporary one, which has other names beside it
  const root = join(temporary.path, basename(target))
  const placed = new Set<string>()
  const wrap = (error: unknown) => fileError(error, finalPath, 'write')
  return {
    exists,
    scratch: (name) => join(temporary.path, `.${name}`),
    place: async (name) => {
      await mkdir(dirname(join(root, name)), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
        throw wrap(error)
      })
      placed.add(name)
      return join(root, name)
    },
    commit: async () => {
      const { parent } = temporary
      try {
        for (const name of placed) await finishFile(join(root, name))
        if (exists) await moveEach(root, { at: (name) => parent.at(name), shown: finalPath, replace }, [...placed])
        else await rename(root, parent.at(basename(target)))
        await parent.sync()
      } catch (error) {
        if (isC2mError(error)) throw error
        throw ['ENOTEMPTY', 'EEXIST'].includes(errno(error) ?? '') ? appeared(finalPath, error) : wrap(error)
      }
    },
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  }
}

interface Destination {
  at(name: string): string
  readonly shown: string
  readonly replace: boolean
}

/** Takes back the names that it made when one of them fails. */
async function moveEach(from: string, { at, shown, replace }: Destination, names: readonly string[]): Promise<void> {
  const made: string[] = []
  try {
    for (const name of names) {
      const path = at(name)
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const isNew = await lstat(path).then(
        () => false,
        () => true,
      )
      if (replace) await rename(join(from, name), path)
      else await moveUnlessThere(join(from, name), path, join(shown, name))
      if (isNew) made.push(path)
    }
  } catch (error) {
    for (const path of made) await rm(path, { force: true })
    throw error
  }
}

async function isFolder(path: string, shown: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true
  } catch (error) {
    if (errno(error) === 'ENOENT') return false
    throw fileError(error, shown, 'write')
  }
  throw usageError('C2M_OUTPUT_NOT_A_FOLDER', `${shown} is no folder`, 'name a folder, or one that does not exist yet')
}

/** Names in the folder but those of temporary folders. */
export async function namesIn(path: string): Promise<readonly string[]> {
  return (await readdir(path)).filter((name) => !name.startsWith(`${OUTPUT_PREFIX}.`))
}

function appeared(shown: string, cause: unknown): C2mError {
  return new C2mError('C2M_OUTPUT_EXISTS', `${shown} was made by another program meanwhile`, {
    hint: 'nothing was changed there; choose another name',
    cause,
  })
}
