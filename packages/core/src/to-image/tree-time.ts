import type { Rootfs } from '@c2m/plugin-api'

/** When a tree was changed last, in seconds: its newest file that is not from the future. The same disk gives the same time. */
export async function treeTime(rootfs: Rootfs): Promise<number> {
  const now = Math.floor(Date.now() / 1000)
  let newest = 0
  for await (const { type, mtime } of rootfs.walk()) {
    if (type === 'file' && mtime.seconds > newest && mtime.seconds <= now) newest = mtime.seconds
  }
  return newest
}
