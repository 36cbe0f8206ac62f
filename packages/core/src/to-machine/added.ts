import type { Rootfs, RootfsEdit } from '@c2m/plugin-api'
import { compareRootfs, filterRootfs, packRootfs, type Layer } from '@c2m/rootfs'
import type { Plan } from './plan.js'

const FOLDER = 'var/lib/c2m'
/** Where the guest keeps what c2m did to the image, for the way back. */
export const ADDED_PATH = `${FOLDER}/added.json`
/** Holds what the image had in place of what was changed and removed. */
export const ORIGINAL_PATH = `${FOLDER}/original.tar`
/** What is there without being in a comparison with the image: the records, and what every ext4 has. */
const ALWAYS = [FOLDER, ADDED_PATH, ORIGINAL_PATH, 'lost+found']

/** Larger files than this are not kept twice; bytes. */
const LARGEST_KEPT = 32 * 1024 * 1024

/** The content of ADDED_PATH. Paths are Rootfs's. */
export interface AddedRecord {
  readonly version: 1
  readonly image: { readonly name: string; readonly digest: string }
  readonly added: readonly string[]
  /** As c2m left them: what looks otherwise later was changed by the machine itself. */
  readonly changed: readonly ChangedEntry[]
  readonly removed: readonly string[]
  /** Changed or removed files that are too large to be kept in ORIGINAL_PATH. */
  readonly lost: readonly string[]
}

export interface ChangedEntry {
  readonly path: string
  readonly size: number
  /** Seconds and nanoseconds. */
  readonly mtime: readonly [number, number]
}

/** Compares the machine with the image, and leaves in it what is needed to take c2m's changes back. */
export async function recordAdded(plan: Plan, layer: Layer | undefined, rootfs: RootfsEdit): Promise<void> {
  const touched = new Set([...(layer?.entries ?? []), ...rootfs.changes].map(({ path }) => path))
  const differences = await compareRootfs(plan.rootfs, rootfs, {
    limit: Infinity,
    // what neither the package manager nor c2m wrote to has the image's content
    ignore: (path, aspect) => aspect === 'content' && !touched.has(path),
  })
  const existence = differences.filter(({ aspect }) => aspect === 'existence')
  const added = existence.filter(({ a }) => a === 'absent').map(({ path }) => path)
  for (const path of ALWAYS) {
    if (!added.includes(path) && (await plan.rootfs.stat(path)) === undefined) added.push(path)
  }
  const removed = existence.filter(({ a }) => a === 'present').map(({ path }) => path)
  const differing = new Set(differences.filter(({ aspect }) => aspect !== 'existence').map(({ path }) => path))
  const changed: ChangedEntry[] = []
  for (const path of differing) {
    const entry = await rootfs.stat(path)
    if (entry === undefined) continue
    changed.push({ path, size: entry.size, mtime: [entry.mtime.seconds, entry.mtime.nanoseconds] })
  }
  const { tree, lost } = await originals(plan.rootfs, new Set([...differing, ...removed]))
  const { name, digest } = plan.image
  const record: AddedRecord = { version: 1, image: { name, digest }, added, changed, removed, lost }
  const json = new TextEncoder().encode(`${JSON.stringify(record, undefined, 1)}\n`)
  await rootfs.put({ path: ADDED_PATH, type: 'file', mode: 0o644 }, json)
  // the image's /etc/shadow is among them
  await rootfs.put({ path: ORIGINAL_PATH, type: 'file', mode: 0o600 }, await archive(tree))
}

/** The image's tree, reduced to some paths and the directories above them. */
async function originals(image: Rootfs, paths: ReadonlySet<string>): Promise<{ tree: Rootfs; lost: string[] }> {
  const lost: string[] = []
  const tree = await filterRootfs(image, ({ path, size, type }) => {
    if (!paths.has(path) || type === 'socket') return { fate: 'remove', reason: undefined }
    if (size <= LARGEST_KEPT) return { fate: 'keep' }
    lost.push(path)
    return { fate: 'remove', reason: undefined }
  })
  return { tree, lost }
}

/** Packed anew each time it is read: only its size has to be known before. */
async function archive(tree: Rootfs) {
  let size = 0
  for await (const chunk of packRootfs(tree)) size += chunk.length
  return {
    size,
    async *open() {
      let offset = 0
      for await (const data of packRootfs(tree)) {
        yield { offset, data }
        offset += data.length
      }
    },
  }
}
