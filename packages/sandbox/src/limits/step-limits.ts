import { statfs } from 'node:fs/promises'
import { C2mError, isC2mError } from '@c2m/process'
import { joining, openControlGroup } from './cgroup.js'

/** What the package step may use at most, beside the number of processes that every container has. */
export interface StepLimits extends AsyncDisposable {
  /** Prefix of a host program, which puts it into the step's control group. */
  readonly joining: readonly string[]
  /** For one step. */
  readonly seconds: number
  /** Bytes that stay free on the file system of the cache. */
  readonly reserve: number
  readonly cache: string
}

/** Two hours: a desktop's packages on a slow mirror under emulation come through. */
export const DEFAULT_SECONDS = 2 * 60 * 60
const PIDS = 4096
const MEMORY_SHARE = 0.9
const RESERVE = 256 * 1024 ** 2
const INTERVAL = 500

/** Limits of control groups hold where this host hands them down, the others everywhere. @throws C2M_FILE_… */
export async function openStepLimits(cache: string, seconds = DEFAULT_SECONDS): Promise<StepLimits> {
  const memory = Math.floor(process.availableMemory() * MEMORY_SHARE)
  const group = await openControlGroup({ pids: PIDS, memory }).catch((error: unknown) => {
    if (isC2mError(error) && error.code === 'C2M_CGROUP') return undefined
    throw error
  })
  return {
    joining: await joining(group),
    seconds,
    reserve: Math.min(RESERVE, (await freeBytes(cache)) / 4),
    cache,
    [Symbol.asyncDispose]: async () => group?.[Symbol.asyncDispose](),
  }
}

export interface Watch extends Disposable {
  /** @throws C2M_SANDBOX_LIMIT when the step was ended because of a limit */
  throwIfExceeded(title: string): void
}

/** Looks at time and space until it is disposed, and calls `end` once when one of them runs out. */
export function watchLimits(
  { seconds, reserve, cache }: Pick<StepLimits, 'seconds' | 'reserve' | 'cache'>,
  end: () => void,
): Watch {
  const begin = Date.now()
  let exceeded: ((title: string) => C2mError) | undefined
  const check = async () => {
    if (exceeded !== undefined) return
    if (Date.now() - begin > seconds * 1000) exceeded = (title) => timeError(title, seconds)
    else if ((await freeBytes(cache)) < reserve) exceeded = (title) => spaceError(title, cache)
    else return
    end()
  }
  const timer = setInterval(() => void check(), INTERVAL)
  return {
    throwIfExceeded: (title) => {
      if (exceeded !== undefined) throw exceeded(title)
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

/** What cannot be asked is not short. */
async function freeBytes(folder: string): Promise<number> {
  return statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => Number.POSITIVE_INFINITY,
  )
}

function timeError(title: string, seconds: number): C2mError {
  return new C2mError('C2M_SANDBOX_LIMIT', `"${title}" was ended after ${seconds} s, its limit`, {
    hint: 'look with --verbose at what it waits for; --package-timeout gives it more time',
  })
}

function spaceError(title: string, cache: string): C2mError {
  return new C2mError('C2M_SANDBOX_LIMIT', `"${title}" was ended: the file system of ${cache} is almost full`, {
    hint: 'make room there: c2m cache prune; or choose another place with C2M_CACHE_DIR',
  })
}
