import type { Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { isBelow } from '../name/path.js'
import { View, type Treatment } from './view.js'

/** What a view leaves out of a tree. Paths are free of links. */
export interface Cut {
  /** Entries that are not there, directories with all below them. */
  readonly removed: ReadonlySet<string>
  /** Regular files without their content. */
  readonly emptied: ReadonlySet<string>
}

/**
 * 'keep': it stays, and so do the directories above it; 'empty': a regular file stays without its content; 'remove': it goes.
 * What is below a directory needs a verdict of its own only where it differs from the directory's.
 */
export type Verdict<Reason> = { readonly fate: 'keep' } | { readonly fate: 'remove' | 'empty'; readonly reason: Reason }

/** Told of what goes, when that is sure: a directory after all below it. */
export type OnLeftOut<Reason> = (entry: RootfsEntry, reason: Reason, fate: 'remove' | 'empty') => void

interface Frame<Reason> {
  readonly entry: RootfsEntry
  readonly verdict: Verdict<Reason>
  /** Removed entries directly below, while it is not known whether the directory itself goes. */
  readonly removed: string[]
  keepsSomething: boolean
}

/**
 * Looks at every entry of a tree once and finds what to leave out.
 * @param decide called in the order of the walk; undefined means the same as for the directory it is in
 */
export async function planCut<Reason>(
  rootfs: Rootfs,
  decide: (entry: RootfsEntry) => Verdict<Reason> | undefined,
  onLeftOut: OnLeftOut<Reason> = () => undefined,
): Promise<Cut> {
  const removed = new Set<string>()
  const emptied = new Set<string>()
  const open: Frame<Reason>[] = []
  const close = (): void => {
    const { entry, verdict, removed: below, keepsSomething } = open.pop()!
    if (verdict.fate === 'remove' && !keepsSomething && entry.path !== '') {
      open.at(-1)?.removed.push(entry.path)
      onLeftOut(entry, verdict.reason, 'remove')
      return
    }
    for (const path of below) removed.add(path)
    const above = open.at(-1)
    if (above !== undefined) above.keepsSomething = true
  }
  for await (const entry of rootfs.walk()) {
    while (open.length > 0 && !isBelow(entry.path, open.at(-1)!.entry.path)) close()
    const above = open.at(-1)
    const verdict = decide(entry) ?? above?.verdict ?? { fate: 'keep' }
    if (entry.type === 'directory') open.push({ entry, verdict, removed: [], keepsSomething: false })
    else if (verdict.fate === 'remove') {
      above?.removed.push(entry.path)
      onLeftOut(entry, verdict.reason, 'remove')
    } else {
      if (above !== undefined) above.keepsSomething = true
      if (verdict.fate !== 'empty' || entry.type !== 'file' || entry.size === 0) continue
      emptied.add(entry.path)
      onLeftOut(entry, verdict.reason, 'empty')
    }
  }
  while (open.length > 0) close()
  return { removed, emptied }
}

/**
 * The tree without what was cut; it stays its owner's. Other names of a file that lost one stay as they are, also when that
 * one was emptied. Bodies are not read before they are asked for.
 * @param alter what to change in entries that stay; not path, type, size or inode
 */
export function cutRootfs(
  rootfs: Rootfs,
  { removed, emptied }: Cut,
  alter?: (entry: RootfsEntry) => RootfsEntry,
): Rootfs {
  const treatments = new Map<string, Treatment>()
  for (const path of emptied) treatments.set(path, 'emptied')
  for (const path of removed) treatments.set(path, 'removed')
  return new View(rootfs, { treatments, alter })
}

/** The tree with what `decide` leaves of it: planCut and cutRootfs in one. */
export async function filterRootfs<Reason>(
  rootfs: Rootfs,
  decide: (entry: RootfsEntry) => Verdict<Reason> | undefined,
  onLeftOut?: OnLeftOut<Reason>,
): Promise<Rootfs> {
  return cutRootfs(rootfs, await planCut(rootfs, decide, onLeftOut))
}
