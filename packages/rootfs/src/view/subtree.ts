import type { Rootfs } from '@c2m/plugin-api'
import { cleanPath } from '../name/path.js'
import { View } from './view.js'

/** What lies in and below a directory, which becomes the root. `path` must be free of links. */
export function subtree(rootfs: Rootfs, path: string): Rootfs {
  return new View(rootfs, { from: cleanPath(path) })
}

/** The tree with some directories emptied; the directories themselves remain. Paths must be free of links. */
export function withoutContents(rootfs: Rootfs, paths: readonly string[]): Rootfs {
  return new View(rootfs, { treatments: new Map(paths.map((path) => [cleanPath(path), 'hollow'])) })
}
