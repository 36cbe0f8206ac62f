import { expect, it } from 'vitest'
import { memoryRootfs } from '../../../linux/src/testing/memory-rootfs.js'
import { unmatchedGlobs } from './exclude.js'

it('tells which globs name nothing', async () => {
  const rootfs = memoryRootfs({ 'etc/hosts': 'x', 'srv/data/a.tmp': 'x' })
  const globs = ['/etc/hosts', 'etc/hosts', '/etc/hostz', '/srv/*', '/srv/**/*.tmp', 'a.tmp', '/srv/data/a.tmp/x']
  expect(await unmatchedGlobs(rootfs, globs)).toEqual(['/etc/hostz', 'a.tmp', '/srv/data/a.tmp/x'])
  expect(await unmatchedGlobs(rootfs, [])).toEqual([])
})
