import { lstat, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { C2mError, errno, fileError, makeOutputFolder, syncPath, usageError } from '@c2m/process'

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

/** @throws C2M_OUTPUT_NOT_A_FOLDER (usage), C2M_FILE_… when it cannot be written */
export async function outputFolder(finalPath: string): Promise<OutputFolder> {
  const target = resolve(finalPath)
  const exists = await isFolder(target, finalPath)
  const temporary = await makeOutputFolder(exists ? target : dirname(target), finalPath)
  // a folder in the temporary one, since that one can be read by its owner only
  const root = join(temporary.path, basename(target))
  const placed = new Set<string>()
  const wrap = (error: unknown) => fileError(error, finalPath, 'write')
  return {
    exists,
    scratch: (name) => join(temporary.path, `.${name}`),
    place: async (name) => {
      await mkdir(dirname(join(root, name)), { recursive: true }).catch((error: unknown) => {
        throw wrap(error)
      })
      placed.add(name)
      return join(root, name)
    },
    commit: async () => {
      try {
        for (const name of placed) await syncPath(join(root, name))
        if (exists) await moveEach(root, target, [...placed])
        else await rename(root, target)
        await syncPath(exists ? target : dirname(target))
      } catch (error) {
        throw ['ENOTEMPTY', 'EEXIST'].includes(errno(error) ?? '') ? appeared(finalPath, error) : wrap(error)
      }
    },
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  }
}

/** Takes back the names that it made when one of them fails. */
async function moveEach(from: string, to: string, names: readonly string[]): Promise<void> {
  const made: string[] = []
  try {
    for (const name of names) {
      const path = join(to, name)
      await mkdir(dirname(path), { recursive: true })
      const isNew = await lstat(path).then(
        () => false,
        () => true,
      )
      await rename(join(from, name), path)
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
  return (await readdir(path)).filter((name) => !name.startsWith('.c2m-output-'))
}

function appeared(shown: string, cause: unknown): C2mError {
  return new C2mError('C2M_OUTPUT_EXISTS', `${shown} was made by another program meanwhile`, {
    hint: 'nothing was changed there; choose another name',
    cause,
  })
}
