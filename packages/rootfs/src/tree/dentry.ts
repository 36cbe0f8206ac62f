import type { Body, Extent, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { C2mError, turnEventLoop } from '@c2m/process'
import { cleanPath, joinPath } from '../name/path.js'
import {
  LinkBudget,
  resolveAsync,
  type Place,
  type Resolution,
  type ResolutionOptions,
  type Step,
} from '../name/resolution.js'

type Ready<T> = T | Promise<T>

/**
 * A name of a tree as one step of a path finds it, like the kernel's dentry: what lies below is asked of it, not of the
 * tree by a path from the root, so that views of views cost no more at any depth. For use at once: it does not follow
 * later changes.
 */
export interface Dentry extends Step<Dentry> {
  /** Names in a directory, ordered by raw bytes; of anything else none. */
  names(): Ready<readonly string[]>
  /** The entry, at the path by which it was found. */
  entry(path: string): Ready<RootfsEntry>
  /** The body of a regular file. */
  body(path: string): Body
  /** Whether a regular file may have holes, where that can be told without reading it. */
  readonly mayHaveHoles?: boolean
}

/** A tree whose paths are walked by dentries. */
export abstract class DentryRootfs<D extends Dentry & Step<D> = Dentry> implements Rootfs {
  readonly #links = new LinkBudget()

  /** @param signal ends walks and look-ups with C2M_INTERRUPTED */
  constructor(readonly signal?: AbortSignal) {}

  /** Its root; undefined when the tree is empty. */
  abstract top(): Ready<D | undefined>
  abstract walk(from?: string): AsyncIterable<RootfsEntry>
  abstract contents(): AsyncIterable<{ readonly entry: RootfsEntry; readonly body: Body }>
  abstract [Symbol.asyncDispose](): Promise<void>

  async stat(path: string): Promise<RootfsEntry | undefined> {
    const place = await this.locate(path)
    return place?.dentry.entry(place.path)
  }

  async resolve(path: string): Promise<string | undefined> {
    const found = await this.lookUp(path, { followLast: true })
    return found.outcome === 'found' ? found.path : undefined
  }

  async list(path: string): Promise<readonly string[]> {
    const place = await this.locate(path)
    return place?.dentry.names() ?? []
  }

  stream(path: string): Body {
    return { [Symbol.asyncIterator]: () => this.#read(path) }
  }

  async mayHaveHoles(path: string): Promise<boolean> {
    return (await this.locate(path))?.dentry.mayHaveHoles !== false
  }

  /** Where a name really lies: its parents resolved, itself not followed; undefined when there is none or a loop. */
  protected async locate(path: string): Promise<Place<D> | undefined> {
    const found = await this.lookUp(path, { followLast: false })
    return found.outcome === 'found' ? found : undefined
  }

  protected async lookUp(path: string, options: ResolutionOptions): Promise<Resolution<D>> {
    const turn = turnEventLoop(this.signal)
    if (turn !== undefined) await turn
    const top = await this.top()
    if (top === undefined) return { outcome: 'missing', path, trail: [], names: [] }
    return resolveAsync<D>(top, cleanPath(path), options, this.#links)
  }

  async *#read(path: string): AsyncGenerator<Extent> {
    const place = await this.locate(path)
    checkIsFile(place?.dentry, path)
    if (place !== undefined) yield* place.dentry.body(place.path)
  }
}

/** The root of any tree; one that knows no dentries is asked by paths. */
export function topOf(rootfs: Rootfs): Ready<Dentry | undefined> {
  return rootfs instanceof DentryRootfs ? (rootfs as DentryRootfs).top() : askedByPath(rootfs, '')
}

/** Whether a regular file must be read to find its holes; false only when it surely has none. */
export async function mayHaveHoles(rootfs: Rootfs, path: string): Promise<boolean> {
  return !(rootfs instanceof DentryRootfs) || (rootfs as DentryRootfs).mayHaveHoles(path)
}

export function signalOf(rootfs: Rootfs): AbortSignal | undefined {
  return rootfs instanceof DentryRootfs ? (rootfs as DentryRootfs).signal : undefined
}

async function askedByPath(rootfs: Rootfs, path: string): Promise<Dentry | undefined> {
  const found = await rootfs.stat(path)
  if (found === undefined) return undefined
  return {
    type: found.type,
    linkTarget: found.linkTarget,
    child: (name) => askedByPath(rootfs, joinPath(path, name)),
    names: () => rootfs.list(path),
    entry: (as) => ({ ...found, path: as }),
    body: () => rootfs.stream(path),
  }
}

/** Applies a function to what is there now or will be. */
export function whenReady<T, R>(value: Ready<T>, use: (value: T) => R): Ready<Awaited<R>> {
  return value instanceof Promise ? (value.then(use) as Promise<Awaited<R>>) : (use(value) as Awaited<R>)
}

/** @throws C2M_NO_SUCH_FILE unless the entry is a regular file */
export function checkIsFile<T extends Pick<RootfsEntry, 'type'>>(entry: T | undefined, path: string): T {
  if (entry?.type === 'file') return entry
  const what = entry === undefined ? 'does not exist' : `is a ${entry.type}`
  throw new C2mError('C2M_NO_SUCH_FILE', `${JSON.stringify(path)} cannot be read: it ${what}`, {
    hint: 'name a regular file of the tree',
  })
}
