import type { RootfsEdit } from '@c2m/plugin-api'
import type { Layer } from '@c2m/rootfs'
import type { Plan } from '../plan/plan.js'

/** Where the guest keeps the list of what c2m added to the image, for the way back. */
export const ADDED_PATH = 'var/lib/c2m/added.json'

/** Lists every path that differs from the image: by the package layer, then by configuration. */
export async function recordAdded(plan: Plan, layer: Layer | undefined, rootfs: RootfsEdit): Promise<void> {
  const touched = new Set([...(layer?.entries ?? []), ...rootfs.changes].map(({ path }) => path))
  const added: string[] = []
  const changed: string[] = []
  const removed: string[] = []
  for await (const { path, type } of rootfs.walk()) {
    if ((await plan.rootfs.stat(path)) === undefined) added.push(path)
    else if (touched.has(path) && type !== 'directory') changed.push(path)
  }
  for await (const { path } of plan.rootfs.walk()) {
    if ((await rootfs.stat(path)) === undefined) removed.push(path)
  }
  const record = { version: 1, image: { name: plan.image.name, digest: plan.image.digest }, added, changed, removed }
  const body = new TextEncoder().encode(`${JSON.stringify(record, undefined, 1)}\n`)
  await rootfs.put({ path: ADDED_PATH, type: 'file', mode: 0o644 }, body)
}
