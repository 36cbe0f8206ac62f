import type { Rootfs } from '@c2m/plugin-api'

/**
 * When a tree was changed last, in seconds: SOURCE_DATE_EPOCH, else the newest file that is not from the future. The same
 * disk gives the same time.
 */
export async function treeTime(rootfs: Rootfs, env: NodeJS.ProcessEnv): Promise<number> {
  const given = Number(env.SOURCE_DATE_EPOCH)
  if (env.SOURCE_DATE_EPOCH !== undefined && Number.isSafeInteger(given) && given >= 0) return given
  const now = Math.floor(Date.now() / 1000)
  let newest = 0
  for await (const { type, mtime } of rootfs.walk()) {
    if (type === 'file' && mtime.seconds > newest && mtime.seconds <= now) newest = mtime.seconds
  }
  return newest
}
