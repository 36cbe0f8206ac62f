import type { RootfsEdit } from '@c2m/plugin-api'
import type { Layer } from '@c2m/rootfs'
import type { Plan } from '../plan/plan.js'

/** Where the guest keeps the list of what c2m added to the image, for the way back. */
export const ADDED_PATH = 'var/lib/c2m/added.json'

/** Lists every path that differs from the image: by the package layer, then by configuration. */
export async function recordAdded(plan: Plan, layer: Layer | undefined, rootfs: RootfsEdit): Promise<void> {
  const paths = new Set<string>()
  if (layer !== undefined) for (const entry of layer.entries) paths.add(entry.path)
  for (const change of rootfs.changes) paths.add(change.path)
  const added: string[] = []
  const changed: string[] = []
  const removed: string[] = []
  for (const path of [...paths].sort()) {
    const before = await plan.rootfs.stat(path)
    const after = await rootfs.stat(path)
    if (after === undefined) {
      if (before !== undefined) removed.push(path)
    } else if (before === undefined) added.push(path)
    else if (after.type !== 'directory' || before.type !== 'directory') changed.push(path)
  }
  const record = { version: 1, image: { name: plan.image.name, digest: plan.image.digest }, added, changed, removed }
  const body = new TextEncoder().encode(JSON.stringify(record, null, 1) + '\n')
  await rootfs.put({ path: ADDED_PATH, type: 'file', mode: 0o644 }, body)
}
