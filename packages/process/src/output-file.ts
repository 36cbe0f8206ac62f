import { link, lstat, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { errno, fileError, usageError } from './errors.js'
import { findAbandoned, makeTemporaryFolder, type TemporaryFolder } from './temporary.js'
import { temporaryPrefix } from './temporary-prefix.js'

/** link(2)'s and FUSE's answers on file systems that have none. */
const NO_HARD_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']

/** A file that comes into being whole or not at all. */
export interface OutputFile extends AsyncDisposable {
  /**
   * Where to write: the final name in a temporary folder of its own, since some formats (vmdk) record their file's name.
   * Other temporary files may stand beside it.
   */
  readonly path: string
  /** Makes the file durable and moves it to its final place. @throws C2M_OUTPUT_EXISTS, C2M_FILE_… */
  commit(): Promise<void>
}

/**
 * Prepares an output; disposing removes what was not committed. What killed runs left in the output's folder is swept
 * first.
 * @throws C2M_OUTPUT_EXISTS when there is such a file and `force` is not given (exit code 2), C2M_OUTPUT_NOT_A_FILE when
 *   the name is that of a directory or device (exit code 2), C2M_FILE_… when the folder is missing or cannot be written
 */
export async function outputFile(finalPath: string, options: { readonly force?: boolean } = {}): Promise<OutputFile> {
  const target = resolve(finalPath)
  const parent = dirname(target)
  const force = options.force === true
  await checkTarget(target, finalPath, force)
  const folder = await makeOutputFolder(parent, finalPath)
  const path = join(folder.path, basename(target))
  return {
    path,
    async commit() {
      try {
        await syncPath(path)
        await (force ? rename(path, target) : renameUnlessThere(path, target, finalPath))
        await syncPath(parent)
      } catch (error) {
        throw fileError(error, finalPath, 'write')
      }
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

async function checkTarget(target: string, shown: string, force: boolean): Promise<void> {
  try {
    const own = await lstat(target)
    const followed = own.isSymbolicLink() ? await stat(target).catch(() => own) : own
    if (!followed.isFile() && !followed.isSymbolicLink()) {
      throw usageError('C2M_OUTPUT_NOT_A_FILE', `${shown} is no regular file`, 'name a file that does not exist yet')
    }
    if (!force) throw exists(shown)
  } catch (error) {
    if (errno(error) === 'ENOENT') return
    throw fileError(error, shown, 'write')
  }
}

function exists(shown: string): Error {
  return usageError('C2M_OUTPUT_EXISTS', `${shown} exists already`, 'choose another name, or use --force to replace it')
}

/**
 * A temporary folder for what will be moved to its place in `parent`. What killed runs left there is swept first.
 * @param shown the output's name as the user wrote it
 * @throws C2M_FILE_… when `parent` is missing or cannot be written
 */
export async function makeOutputFolder(parent: string, shown: string): Promise<TemporaryFolder> {
  const prefix = await temporaryPrefix('.c2m-output')
  await sweep(parent, prefix)
  try {
    // a folder that is not there is rather a slip of the user's than one to make
    await stat(parent)
    return await makeTemporaryFolder(parent, prefix)
  } catch (error) {
    throw fileError(error, shown, 'write')
  }
}

/** What cannot be removed is left: it hinders nobody. */
async function sweep(folder: string, prefix: string): Promise<void> {
  for (const path of await findAbandoned(folder, prefix))
    await rm(path, { recursive: true, force: true }).catch(() => undefined)
}

/** A hard link never replaces a file that appeared meanwhile; rename is for file systems without hard links. */
async function renameUnlessThere(path: string, target: string, shown: string): Promise<void> {
  try {
    await link(path, target)
    await rm(path)
  } catch (error) {
    const code = errno(error)
    if (code === 'EEXIST') throw exists(shown)
    if (code === undefined || !NO_HARD_LINKS.includes(code)) throw error
    await checkTarget(target, shown, false)
    await rename(path, target)
  }
}

/** Makes a file's content, or a folder's list of names, durable. */
export async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
