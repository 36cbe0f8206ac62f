import fc from 'fast-check'
import type { MemoryEntry } from './memory-rootfs.js'

/** Trees with everything that a small tree can hold, below names of few letters so that they meet. */
export function randomTree(): fc.Arbitrary<MemoryEntry[]> {
  const name = fc.stringMatching(/^[a-z]{1,3}$/)
  const depth = fc.array(name, { minLength: 1, maxLength: 5 })
  const time = fc.record({ seconds: fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), nanoseconds: fc.nat(999_999_999) })
  const xattrs = fc.dictionary(
    fc.stringMatching(/^(user|trusted|security)\.[a-zé]{1,40}$/),
    fc.uint8Array({ maxLength: 300 }),
    { maxKeys: 8 },
  )
  const common = {
    mode: fc.nat(0o7777),
    uid: fc.nat(2 ** 31),
    gid: fc.nat(2 ** 31),
    mtime: time,
    xattrs: xattrs.map((values) => new Map(Object.entries(values))),
  }
  const extent = fc.record({ offset: fc.nat(200_000), data: fc.uint8Array({ minLength: 1, maxLength: 20_000 }) })
  const content = fc.array(extent, { maxLength: 6 }).map((extents) => {
    const sorted = extents.sort((a, b) => a.offset - b.offset)
    const apart = sorted.filter(
      ({ offset }, index) => index === 0 || offset >= sorted[index - 1]!.offset + sorted[index - 1]!.data.length,
    )
    // dropping one may leave its neighbours overlapping no more, never newly overlapping
    const kept: typeof apart = []
    for (const next of apart)
      if (kept.length === 0 || next.offset >= kept.at(-1)!.offset + kept.at(-1)!.data.length) kept.push(next)
    return { size: 250_000, extents: kept }
  })
  const node = fc.oneof(
    { weight: 5, arbitrary: fc.record({ type: fc.constant('file' as const), content, ...common }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('directory' as const), ...common }) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('symlink' as const),
        linkTarget: fc.stringMatching(/^[ -~]{1,200}$/),
        ...common,
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('fifo' as const, 'socket' as const), ...common }) },
  )
  return fc.array(fc.tuple(depth, node), { maxLength: 60 }).map((parts) => {
    const taken = new Set<string>()
    const entries: MemoryEntry[] = []
    for (const [names, entry] of parts) {
      const path = names.join('/')
      const parents = names.slice(0, -1).map((_, index) => names.slice(0, index + 1).join('/'))
      const isFree =
        !taken.has(path) &&
        parents.every((parent) => !entries.some((other) => other.path === parent && other.type !== 'directory'))
      if (!isFree || entries.some((other) => other.path.startsWith(`${path}/`))) continue
      taken.add(path)
      entries.push({ ...entry, path })
    }
    return entries
  })
}
