import type { Rootfs } from '@c2m/plugin-api'
import { cleanPath, isBelow, joinPath, parentOf } from '../name/path.js'
import { View } from './view.js'

/** What lies in and below a directory, which becomes the root. `path` must be free of links. */
export function subtree(rootfs: Rootfs, path: string): Rootfs {
  const top = cleanPath(path)
  return new View(rootfs, {
    toBase: (inside) => joinPath(top, inside),
    fromBase: (outside) => {
      if (outside === top) return ''
      return isBelow(outside, top) ? outside.slice(top === '' ? 0 : top.length + 1) : undefined
    },
  })
}

/** The tree with some directories emptied; the directories themselves remain. Paths must be free of links. */
export function withoutContents(rootfs: Rootfs, paths: readonly string[]): Rootfs {
  const emptied = new Set(paths.map(cleanPath))
  const isHidden = (path: string): boolean => {
    for (let at = path; at !== '';) {
      at = parentOf(at)
      if (emptied.has(at)) return true
    }
    return false
  }
  return new View(rootfs, { toBase: (path) => path, fromBase: (path) => (isHidden(path) ? undefined : path) })
}
