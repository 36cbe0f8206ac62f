import type { CleaningRule, Rootfs } from '@c2m/plugin-api'
import { globOf } from '@c2m/linux'

const GIB = 1024 ** 3
/** A layer stores holes as zeros; more than this in one file is an accident (lastlog of a large uid, a disk image). */
const MOST_HOLES = GIB

export const SPARSE = 'sparse'

/**
 * Files that would fill an image with zeros. Only large ones are looked at, until it is sure that they are whole.
 * @param rootfs without what other rules remove or empty
 */
export async function sparseRule(rootfs: Rootfs): Promise<CleaningRule> {
  const remove: string[] = []
  for await (const entry of rootfs.walk()) {
    if (entry.type !== 'file' || entry.size <= MOST_HOLES) continue
    let data = 0
    for await (const extent of rootfs.stream(entry.path)) {
      data += extent.data.length
      if (entry.size - data <= MOST_HOLES) break
    }
    if (entry.size - data > MOST_HOLES) remove.push(globOf(entry.path))
  }
  return { id: SPARSE, summary: 'files with more than 1 GiB of holes', byDefault: true, remove }
}
