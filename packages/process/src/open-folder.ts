import { constants, type Stats } from 'node:fs'
import { lstat, open, readdir, rm, rmdir, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { errno } from './errors.js'

const FLAGS = constants.O_RDONLY | constants.O_DIRECTORY

/**
 * A directory that is held open: what is done in it is done there, whatever others make of its path meanwhile. Node has no
 * openat(2), but on Linux a path below /proc/self/fd/N begins at the directory that is open as N (proc_pid_fd(5)).
 * Elsewhere there are only paths.
 */
export class OpenFolder implements AsyncDisposable {
  private constructor(
    private readonly handle: FileHandle,
    private readonly path: string,
  ) {}

  /** Follows links on the way there, and in the last part of the path, too. */
  static async open(path: string): Promise<OpenFolder> {
    return new OpenFolder(await open(path, FLAGS), resolve(path))
  }

  /** Does not follow a link in the last part of the path. @throws ENOTDIR when that is no directory */
  static async openItself(path: string): Promise<OpenFolder> {
    return new OpenFolder(await open(path, FLAGS | constants.O_NOFOLLOW), resolve(path))
  }

  /** A name in it, for calls of this process. */
  at(name: string): string {
    return process.platform === 'linux' ? `/proc/self/fd/${this.handle.fd}/${name}` : join(this.path, name)
  }

  /** The directory itself, for other programs of this user as well, as long as it is open. */
  get anywhere(): string {
    return process.platform === 'linux' ? `/proc/${process.pid}/fd/${this.handle.fd}` : this.path
  }

  stat(): Promise<Stats> {
    return this.handle.stat()
  }

  /** Makes its list of names durable. */
  sync(): Promise<void> {
    return this.handle.sync()
  }

  names(): Promise<string[]> {
    return readdir(this.at('.'))
  }

  /** Deletes everything in it. @param last what goes after all else */
  async empty(last?: string): Promise<void> {
    for (const name of await this.names()) if (name !== last) await this.remove(name)
    if (last !== undefined) await this.remove(last)
  }

  /** Deletes what has this name, with all that is in it, but no link's target and nothing on another file system. */
  async remove(name: string): Promise<void> {
    try {
      if (!(await lstat(this.at(name))).isDirectory()) return await unlink(this.at(name))
      await this.#emptyFolder(name)
      await rmdir(this.at(name))
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error
    }
  }

  async #emptyFolder(name: string): Promise<void> {
    await using folder = await OpenFolder.openItself(this.at(name))
    if ((await folder.stat()).dev === (await this.stat()).dev) await folder.empty()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close()
  }
}

/** Deletes a file or a directory with all that is in it, if it is there. No link is followed, at any depth and time. */
export async function removeTree(path: string): Promise<void> {
  if (process.platform !== 'linux') return rm(path, { recursive: true, force: true })
  const target = resolve(path)
  try {
    await using parent = await OpenFolder.open(dirname(target))
    await parent.remove(basename(target))
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error
  }
}
