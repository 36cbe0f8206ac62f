import { constants } from 'node:fs'
import { link, lstat, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { C2mError, errno, fileError, usageError } from './errors.js'
import { OpenFolder } from './open-folder.js'
import { makeTemporaryFolder, sweep, type TemporaryFolder } from './temporary.js'
import { findPlantedLink } from './trust.js'

/** link(2)'s and FUSE's answers on file systems that have none. */
const NO_HARD_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']
/** chmod(2)'s answers on file systems that have none, such as FAT. */
const NO_MODES = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']
/** Beginning of the names of folders in which outputs are made. */
export const OUTPUT_PREFIX = '.c2m-output'

/** A file that comes into being whole or not at all. */
export interface OutputFile extends AsyncDisposable {
  /**
   * Where to write: the final name in a temporary folder of its own, since some formats (vmdk) record their file's name.
   * Other temporary files may stand beside it.
   */
  readonly path: string
  /** Makes the file durable, for its owner only, and moves it to its final place. @throws C2M_OUTPUT_EXISTS, C2M_FILE_… */
  commit(): Promise<void>
  /** The same under its final name with `ending`. */
  commitAs(ending: string): Promise<void>
}

/**
 * Prepares an output; disposing removes what was not committed. What killed runs left in the output's folder is swept
 * first.
 * @throws C2M_OUTPUT_EXISTS when there is such a file and `force` is not given (exit code 2), C2M_OUTPUT_NOT_A_FILE when
 *   the name is that of a directory or device (exit code 2), C2M_OUTPUT_LINK, C2M_FILE_… when the folder is missing or
 *   cannot be written
 */
export async function outputFile(finalPath: string, options: { readonly force?: boolean } = {}): Promise<OutputFile> {
  const force = options.force === true
  await checkOutput(finalPath, force)
  const target = resolve(finalPath)
  const folder = await makeOutputFolder(dirname(target), finalPath)
  const path = join(folder.path, basename(target))
  const commitAs = async (ending: string) => {
    const shown = finalPath + ending
    const final = folder.parent.at(basename(target) + ending)
    try {
      await finishFile(path)
      await (force ? rename(path, final) : moveUnlessThere(path, final, shown))
      await folder.parent.sync()
    } catch (error) {
      throw fileError(error, shown, 'write')
    }
  }
  return {
    path,
    commit: () => commitAs(''),
    commitAs,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** @throws C2M_OUTPUT_EXISTS, C2M_OUTPUT_NOT_A_FILE (usage), C2M_FILE_… as outputFile does */
export async function checkOutput(finalPath: string, force: boolean): Promise<void> {
  await checkTarget(resolve(finalPath), finalPath, force)
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

/** A temporary folder, and the one that it lies in, which is held open. */
export interface OutputSpace extends TemporaryFolder {
  readonly parent: OpenFolder
}

/**
 * A temporary folder for what will be moved to its place in `parent`. What killed runs left there is swept first.
 * @param shown the output's name as the user wrote it
 * @throws C2M_OUTPUT_LINK when a link of another user leads there, from a directory in which everybody may write;
 *   C2M_FILE_… when `parent` is missing or cannot be written
 */
export async function makeOutputFolder(parent: string, shown: string): Promise<OutputSpace> {
  try {
    const planted = await findPlantedLink(parent)
    if (planted !== undefined) {
      throw new C2mError('C2M_OUTPUT_LINK', `${shown} cannot be written: ${planted.path} ${planted.because}`, {
        hint: 'name the directory itself',
      })
    }
    await sweep(parent, OUTPUT_PREFIX)
    // a folder that is not there is rather a slip of the user's than one to make
    const opened = await OpenFolder.open(parent)
    const folder = await makeTemporaryFolder(parent, OUTPUT_PREFIX).catch(async (error: unknown) => {
      await opened[Symbol.asyncDispose]()
      throw error
    })
    return {
      path: folder.path,
      parent: opened,
      [Symbol.asyncDispose]: async () => {
        await folder[Symbol.asyncDispose]()
        await opened[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    throw fileError(error, shown, 'write')
  }
}

/**
 * Moves a file, never in the place of another: a hard link does not replace a file that appeared meanwhile; rename is for
 * file systems without hard links.
 * @throws C2M_OUTPUT_EXISTS (usage), system errors
 */
export async function moveUnlessThere(path: string, target: string, shown: string): Promise<void> {
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

/** Makes a file's content durable, and takes away what rights others have to it: whatever program made it. */
export async function finishFile(path: string): Promise<void> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  const { mode } = await file.stat()
  if ((mode & 0o177) !== 0) {
    await file.chmod(mode & 0o600).catch((error: unknown) => {
      if (!NO_MODES.includes(errno(error) ?? '')) throw error
    })
  }
  await file.sync()
}
