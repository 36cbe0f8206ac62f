import { treeOf } from '@c2m/testkit'
import { describe, expect, it } from 'vitest'
import { LEAST_SCORE, scoreVolume } from './candidates.js'
import type { Volume } from './volume.js'

const root: Volume = { name: 'partition 1', size: 1, filesystem: { type: 'ext4', label: 'root' } }

describe('scoreVolume', () => {
  it('knows a root whose /usr is a volume of its own', async () => {
    const fstab = 'LABEL=root / ext4\nLABEL=usr /usr ext4\n'
    const files = {
      'etc/fstab': fstab,
      bin: '-> usr/bin',
      'etc/os-release': '-> ../usr/lib/os-release',
      'lost+found/x': '',
    }
    const { score, reasons } = await scoreVolume(root, await treeOf(files), [root])
    expect(score).toBeGreaterThan(LEAST_SCORE)
    expect(reasons.join()).not.toContain('only a part')
  })

  it('takes no link to nowhere for programs', async () => {
    const files = { 'etc/fstab': 'LABEL=root / ext4\n', bin: '-> usr/bin', 'lost+found/x': '' }
    const { score } = await scoreVolume(root, await treeOf(files), [root])
    expect(score).toBeLessThan(LEAST_SCORE)
  })
})
