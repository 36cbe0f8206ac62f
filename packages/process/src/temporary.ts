import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, mkdtemp, open, readFile, readdir, readlink, rmdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { CleanupStack } from './cleanup.js'
import { C2mError, errno, fileError } from './errors.js'
import { OpenFolder } from './open-folder.js'
import { findUntrusted, isPrivate } from './trust.js'

/** In every temporary folder: whose it is. */
const OWNER_FILE = '.c2m-temporary'
const MAX_OWNER_BYTES = 200

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
}

/**
 * A folder that only this user can enter, named `<prefix>.<own mark>.XXXXXX`. Where others can rename it, its path
 * leads through the descriptor by which it is open, so nobody can put another one in its place.
 */
export async function makeTemporaryFolder(parent: string, prefix: string): Promise<TemporaryFolder> {
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const path = await mkdtemp(join(parent, `${prefix}.${await ownMark()}.`))
  const folder = await OpenFolder.openItself(path)
  await using undo = new CleanupStack()
  undo.defer(() => folder[Symbol.asyncDispose]())
  await requireNew(folder, path)
  undo.defer(() => removeEmpty(path))
  undo.defer(() => folder.empty(OWNER_FILE))
  await writeFile(folder.at(OWNER_FILE), `${await ownMark()}\n`, { flag: 'wx', mode: 0o600 }).catch(
    (error: unknown) => {
      throw fileError(error, path, 'write')
    },
  )
  const isStable = (await findUntrusted(parent)) === undefined
  const dispose = undo.release()
  return {
    path: isStable ? path : folder.anywhere,
    [Symbol.asyncDispose]: () => dispose[Symbol.asyncDispose](),
  }
}

/** What was put in the place of the folder since it was made is another's, or is not empty. */
async function requireNew(folder: OpenFolder, path: string): Promise<void> {
  if (isPrivate(await folder.stat()) && (await folder.names()).length === 0) return
  throw new C2mError('C2M_TEMPORARY_REPLACED', `${path} was replaced by another directory`, {
    hint: 'another user can write there; choose another place',
  })
}

/**
 * The same, after what killed runs left under that prefix is gone. A name proves nothing where others can rename, so only
 * that is deleted what this user's c2m has written its mark into, in a folder that only this user can write.
 */
export async function makeSweptFolder(parent: string, prefix: string): Promise<TemporaryFolder> {
  await sweep(parent, prefix)
  return makeTemporaryFolder(parent, prefix)
}

/** What cannot be removed is left: it hinders nobody. */
export async function sweep(parent: string, prefix: string): Promise<void> {
  const opened = await OpenFolder.open(parent).catch(() => undefined)
  if (opened === undefined) return
  await using folder = opened
  for (const name of await folder.names()) {
    if (name.startsWith(`${prefix}.`)) await removeAbandoned(folder, name).catch(() => undefined)
  }
}

async function removeAbandoned(parent: OpenFolder, name: string): Promise<void> {
  await using left = await OpenFolder.openItself(parent.at(name))
  if (!isPrivate(await left.stat()) || !(await isAbandoned(left))) return
  await left.empty(OWNER_FILE)
  await rmdir(parent.at(name))
}

async function isAbandoned(folder: OpenFolder): Promise<boolean> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  await using file = await open(folder.at(OWNER_FILE), flags)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_OWNER_BYTES), 0, MAX_OWNER_BYTES, 0)
  return (await holderOf(buffer.toString('latin1', 0, bytesRead).trim())) === 'gone'
}

/** Names this process in file names and files: '<pid>.<start time>-<host>'. */
export async function ownMark(): Promise<string> {
  return `${process.pid}.${await startTime(process.pid)}-${await hostId()}`
}

/**
 * Whether the process that left a mark still runs. Process ids mean something only on one machine and in one process
 * namespace, and folders are shared across both (NFS, bind mounts), so of others' marks nobody can tell.
 */
export async function holderOf(mark: string): Promise<'running' | 'gone' | 'elsewhere' | undefined> {
  const [, pid, started, host] = /^(\d{1,10})\.(\d{1,20})-([0-9a-f]{16})$/.exec(mark) ?? []
  if (pid === undefined) return undefined
  if (host !== (await hostId())) return 'elsewhere'
  return (await startTime(Number(pid))) === started ? 'running' : 'gone'
}

async function hostId(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '')
  return createHash('sha256').update(`${hostname()}\0${namespace}`).digest('hex').slice(0, 16)
}

async function removeEmpty(path: string): Promise<void> {
  await rmdir(path).catch((error: unknown) => {
    if (errno(error) !== 'ENOENT') throw error
  })
}

/** Names in `parent` that begin with '<prefix>.<mark>.' and whose process is gone. Of a folder of this user only. */
export async function findAbandoned(parent: string, prefix: string): Promise<string[]> {
  const names = await readdir(parent).catch(() => [])
  const abandoned: string[] = []
  for (const name of names) {
    if (!name.startsWith(`${prefix}.`)) continue
    const mark = name
      .slice(prefix.length + 1)
      .split('.', 2)
      .join('.')
    if ((await holderOf(mark)) === 'gone') abandoned.push(join(parent, name))
  }
  return abandoned
}

/** Clock ticks since boot at which a process started (proc(5), /proc/pid/stat field 22); '0' when it is gone or unknown. */
async function startTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
    // the command name may hold blanks and parentheses; what follows the last ')' begins with field 3
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
  } catch {
    return '0'
  }
}
