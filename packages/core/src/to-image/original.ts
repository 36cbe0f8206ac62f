import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { readText, TEXT_LIMITS } from '@c2m/linux'
import type { Rootfs, RootfsEdit, RootfsEntry } from '@c2m/plugin-api'
import { C2mError, shown, type CleanupStack, type Reporter } from '@c2m/process'
import { archiveRootfs, editRootfs, filterRootfs, indexLayer } from '@c2m/rootfs'
import { ADDED_PATH, ORIGINAL_PATH, type AddedRecord, type ChangedEntry } from '../to-machine/added.js'

/**
 * A machine that c2m made, without what c2m added and with what it changed and removed as the image had it. What the
 * machine itself changed since stays as the machine has it, and is told.
 * @param folder for the originals, which are read at random
 * @throws C2M_NO_ORIGINAL when c2m did not make the machine, or its record is damaged
 */
export async function takeOriginal(
  machine: Rootfs,
  folder: string,
  reporter: Reporter,
  cleanup: CleanupStack,
): Promise<Rootfs> {
  const record = parseRecord(await readText(machine, ADDED_PATH, TEXT_LIMITS.record))
  const originals = await openOriginals(machine, join(folder, 'original.tar'), cleanup)
  const added = new Set(record.added)
  const without = await filterRootfs(machine, ({ path }) =>
    added.has(path) ? { fate: 'remove', reason: undefined } : { fate: 'keep' },
  )
  const rootfs = editRootfs(without)
  const changed = new Map(record.changed.map((one) => [one.path, one]))
  const removed = new Set(record.removed)
  const links = new Map<number, string>()
  const kept: string[] = []
  for await (const original of originals.walk()) {
    const as = changed.get(original.path)
    if (as !== undefined ? !(await isAsLeft(machine, as)) : !removed.has(original.path)) {
      if (as !== undefined && original.type !== 'directory') kept.push(original.path)
      continue
    }
    if (as === undefined && (await rootfs.stat(original.path)) !== undefined) continue
    await restore(rootfs, originals, original, links)
  }
  tell(reporter, 'the machine changed since, and stay as they are', kept)
  tell(reporter, 'were too large to be kept, and stay as c2m left them', record.lost)
  return rootfs
}

async function restore(
  rootfs: RootfsEdit,
  originals: Rootfs,
  original: RootfsEntry,
  links: Map<number, string>,
): Promise<void> {
  const { path, inode, size, type } = original
  const first = links.get(inode)
  if (first !== undefined) return rootfs.link(first, path)
  if (original.nlink > 1 && type !== 'directory') links.set(inode, path)
  await rootfs.put(original, type === 'file' ? { size, open: () => originals.stream(path) } : undefined)
}

/** A directory's time changes with its entries, so it tells nothing. */
async function isAsLeft(
  machine: Rootfs,
  { path, size, mtime: [seconds, nanoseconds] }: ChangedEntry,
): Promise<boolean> {
  const entry = await machine.stat(path)
  if (entry === undefined) return false
  if (entry.type === 'directory') return true
  return entry.size === size && entry.mtime.seconds === seconds && entry.mtime.nanoseconds === nanoseconds
}

async function openOriginals(machine: Rootfs, path: string, cleanup: CleanupStack): Promise<Rootfs> {
  if ((await machine.stat(ORIGINAL_PATH))?.type !== 'file') throw noOriginal(`has no /${ORIGINAL_PATH}`)
  await copyOut(machine, ORIGINAL_PATH, path)
  const rootfs = await archiveRootfs(await indexLayer(path))
  cleanup.defer(() => rootfs[Symbol.asyncDispose]())
  return rootfs
}

async function copyOut(rootfs: Rootfs, path: string, to: string): Promise<void> {
  await using file = await open(to, 'wx', 0o600)
  await file.truncate((await rootfs.stat(path))?.size ?? 0)
  for await (const { offset, data } of rootfs.stream(path)) await file.write(data, 0, data.length, offset)
}

function parseRecord(text: string | undefined): AddedRecord {
  if (text === undefined) throw noOriginal(`has no /${ADDED_PATH}`)
  let record: Partial<AddedRecord> | null
  try {
    record = JSON.parse(text) as Partial<AddedRecord> | null
  } catch {
    throw noOriginal(`has a damaged /${ADDED_PATH}`)
  }
  const lists = [record?.added, record?.removed, record?.lost]
  const sound =
    record?.version === 1 &&
    lists.every((list) => Array.isArray(list) && list.every((path) => typeof path === 'string')) &&
    Array.isArray(record.changed) &&
    record.changed.every((one: Partial<ChangedEntry> | null) => {
      return typeof one?.path === 'string' && typeof one.size === 'number' && Array.isArray(one.mtime)
    })
  if (!sound) throw noOriginal(`has a /${ADDED_PATH} that this c2m does not understand`)
  return record as AddedRecord
}

function noOriginal(why: string): C2mError {
  return new C2mError('C2M_NO_ORIGINAL', `--only-original needs a machine that c2m made; this one ${why}`, {
    hint: 'leave --only-original out',
  })
}

function tell(reporter: Reporter, what: string, paths: readonly string[]): void {
  if (paths.length === 0) return
  reporter.warn(`${paths.length} files ${what}:\n${paths.map((path) => `  /${shown(path)}`).join('\n')}`)
}
