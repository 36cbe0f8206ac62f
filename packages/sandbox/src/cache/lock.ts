import { errno, holderOf, ownMark, throwIfAborted } from '@c2m/process'
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MILLISECONDS = 200
/** Milliseconds: twelve hours. */
const LONGEST = 12 * 3600 * 1000

export interface LockOptions {
  signal?: AbortSignal | undefined
  /** Told once when another process has it. */
  onWait?: (pid: number) => void
}

/**
 * Takes an exclusive lock: a file with the mark of its holder. A lock whose holder is gone is broken; of one of another
 * machine or process namespace nobody can tell, so it holds for some hours. Two
 * processes that break it in the same instant may both go on; what they make is complete before it gets its final name,
 * so that costs double work only.
 * @throws C2M_INTERRUPTED
 */
export async function takeLock(path: string, options: LockOptions = {}): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const mine = await ownMark()
  const own = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`
  await writeFile(own, `${mine}\n`, { mode: 0o600 })
  let told = false
  try {
    for (;;) {
      throwIfAborted(options.signal)
      try {
        await link(own, path)
        return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
      } catch (error) {
        if (errno(error) !== 'EEXIST') throw error
      }
      const holder = await readHolder(path)
      if (holder === undefined) continue
      if (!holder.holds) {
        // renamed before it is removed, so that of two who break it only one removes it
        await rename(path, `${own}.stale`).catch(() => undefined)
        await rm(`${own}.stale`, { force: true })
        continue
      }
      if (!told) options.onWait?.(holder.pid)
      told = true
      await sleep(POLL_MILLISECONDS, undefined, { signal: options.signal }).catch(() => undefined)
    }
  } finally {
    await rm(own, { force: true })
  }
}

/** Whether a running process has the lock. */
export async function isLocked(path: string): Promise<boolean> {
  return (await readHolder(path))?.holds === true
}

/** Undefined when there is no lock. A file that holds no mark is damaged, and does not hold. */
async function readHolder(path: string): Promise<{ pid: number; holds: boolean } | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)])
    const holder = await holderOf(text.trim())
    const holds = holder === 'running' || (holder === 'elsewhere' && Date.now() - mtimeMs < LONGEST)
    return { pid: Number.parseInt(text, 10), holds }
  } catch {
    return undefined
  }
}
