import { errno, startTime, throwIfAborted } from '@c2m/process'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MILLISECONDS = 200

export interface LockOptions {
  signal?: AbortSignal | undefined
  /** Told once when another process has it. */
  onWait?: (pid: number) => void
}

/**
 * Takes an exclusive lock: a file with 'PID START-TIME' of its holder. A lock whose holder is gone is broken. Two
 * processes that break it in the same instant may both go on; what they make is complete before it gets its final name,
 * so that costs double work only.
 * @throws C2M_INTERRUPTED
 */
export async function takeLock(path: string, options: LockOptions = {}): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const mine = `${process.pid} ${await startTime(process.pid)}`
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
      if ((await startTime(holder.pid)) !== holder.started) {
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
  const holder = await readHolder(path)
  return holder !== undefined && (await startTime(holder.pid)) === holder.started
}

/** A lock file that holds no holder is damaged and counts as one whose holder is gone. */
async function readHolder(path: string): Promise<{ pid: number; started: string } | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const match = /^(\d+) (\d+)\n$/.exec(text)
  return match === null ? { pid: 0, started: 'damaged' } : { pid: Number(match[1]), started: match[2] ?? '' }
}
