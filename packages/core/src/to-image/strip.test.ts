import { expect, it } from 'vitest'
import { memoryRootfs } from '../../../linux/src/testing/memory-rootfs.js'
import { strip } from './strip.js'

it('finds behind links what rules name, plugins’ ones too', async () => {
  const machine = memoryRootfs({
    var: '-> data/var',
    'data/var/cache/packages/a': 'a',
  })
  const rules = [{ id: 'packages', summary: 'downloads', byDefault: true, remove: ['/var/cache/packages/*'] }]
  const choices = { clean: [], keep: [], exclude: [], excludeSecrets: false, devices: false }
  const { rootfs } = await strip(machine, rules, choices)
  expect(await rootfs.stat('data/var/cache/packages')).toMatchObject({ type: 'directory' })
  expect(await rootfs.stat('data/var/cache/packages/a')).toBeUndefined()
})
