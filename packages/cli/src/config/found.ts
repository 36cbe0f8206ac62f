import { errno, fileError, foreignWriter, foreignWriterOf } from '@c2m/process'
import { constants, type Stats } from 'node:fs'
import { lstat, open, stat, type FileHandle } from 'node:fs/promises'
import { dirname, extname, isAbsolute, join } from 'node:path'
import { MAX_BYTES, parseData } from './parse.js'

/** Code may lie anywhere, so only data formats are looked for; a .mjs file has to be named. */
const NAMES = ['c2m.config.yaml', 'c2m.config.yml', 'c2m.config.json']

/**
 * The nearest configuration in a directory or one above it, up to the first that has a package.json or package.yaml. One
 * that others than this user and root could have written is passed over, before any of it is read, and so is an empty one.
 * @throws an error whose message begins with the file, when what is in it cannot be understood
 */
export async function findConfiguration(
  from: string,
  warn: (message: string) => void,
): Promise<{ file: string; value: unknown } | undefined> {
  for (let folder = from; isAbsolute(folder); folder = dirname(folder)) {
    for (const name of NAMES) {
      const file = join(folder, name)
      const bytes = await readOwn(file, warn)
      const value = bytes && parseNamed(file, bytes)
      if (value !== undefined) return { file, value }
    }
    if (dirname(folder) === folder || (await hasPackage(folder))) return undefined
  }
  return undefined
}

function parseNamed(file: string, bytes: Uint8Array): unknown {
  try {
    return parseData(bytes, extname(file))
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** The file's bytes when it is there and nobody else could have written it. */
async function readOwn(file: string, warn: (message: string) => void): Promise<Uint8Array | undefined> {
  try {
    const there = await lstat(file)
    if (there.isDirectory()) return undefined
    // the directory first: once that is known to be ours, the file that is opened is the one that was looked at
    const reason = (await foreignWriter(dirname(file))) ?? (there.isFile() ? undefined : irregular(file, there))
    if (reason !== undefined) return passOver(file, reason, warn)
    await using handle = await openRegular(file)
    const found = await handle.stat()
    const fault = found.isFile() ? await foreignWriterOf(file, found) : irregular(file, found)
    return fault === undefined ? await readStart(handle) : passOver(file, fault, warn)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errno(error) ?? '')) return undefined
    throw fileError(error, file, 'read')
  }
}

function openRegular(file: string): Promise<FileHandle> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants
  return open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
}

/** What a configuration may have at most, and one byte more when there is more. */
export async function readStart(handle: FileHandle): Promise<Uint8Array> {
  const buffer = Buffer.alloc(MAX_BYTES + 1)
  let length = 0
  for (let read = 1; read > 0 && length < buffer.length; length += read)
    read = (await handle.read(buffer, length, buffer.length - length, null)).bytesRead
  return buffer.subarray(0, length)
}

function irregular(file: string, stats: Stats): string {
  return `${file} is ${stats.isSymbolicLink() ? 'a symbolic link' : 'not a regular file'}`
}

function passOver(file: string, reason: string, warn: (message: string) => void): undefined {
  warn(`${file} is not used: ${reason}; look at it, and name it with --config when it is to be used`)
}

async function hasPackage(folder: string): Promise<boolean> {
  const found = await Promise.all(
    ['package.json', 'package.yaml'].map((name) => stat(join(folder, name)).catch(() => undefined)),
  )
  return found.some((one) => one !== undefined)
}
