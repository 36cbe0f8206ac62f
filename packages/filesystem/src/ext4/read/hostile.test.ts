import { describe, expect, it } from 'vitest'
import { FEATURE_SETS } from '../testing/options.js'
import type { MemoryEntry } from '../testing/memory-rootfs.js'
import { everything, sparse } from '../testing/tree.js'
import { attack } from './testing/mutations.js'
import { writeImage } from './testing/images.js'

const MIB = 1024 * 1024

function small(): MemoryEntry[] {
  const isLarge = ({ path }: MemoryEntry): boolean => /large$|many-runs/.test(path)
  const names = Array.from({ length: 300 }, (_, index): MemoryEntry => ({
    path: `indexed/name-${index}`,
    type: 'fifo',
  }))
  const runs = sparse().map((entry) =>
    entry.path !== 'many-runs' || entry.content === undefined || !('extents' in entry.content)
      ? entry
      : { ...entry, content: { size: 400_000, extents: entry.content.extents.slice(0, 40) } },
  )
  return [...everything().filter((entry) => !isLarge(entry)), ...runs, ...names]
}

describe('a damaged file system', () => {
  it.each(['modern', 'conservative', 'uninit'] as const)(
    'is read or refused, never more, with the features %s',
    async (name) => {
      const image = await writeImage(small(), FEATURE_SETS[name], 16 * MIB)
      const { outcomes, slowest } = await attack(image, 100, 1)
      expect(slowest).toBeLessThan(2000)
      expect([...outcomes.keys()].filter((code) => !/^none$|^C2M_(EXT4|PATH)_/.test(code))).toEqual([])
      expect(outcomes.get('C2M_EXT4_DAMAGED')).toBeGreaterThan(0)
      expect(outcomes.get('none')).toBeGreaterThan(0)
    },
    30_000,
  )
})
