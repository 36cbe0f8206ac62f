import { describe, expect, it } from 'vitest'
import { memoryRootfs } from '../testing/memory-rootfs.js'
import { parseUnitFile, unitList } from './unit-file.js'
import { enableUnit, maskUnit, unmaskUnit } from './units.js'

describe('parseUnitFile', () => {
  it('joins lines, skips comments, and an empty value clears', () => {
    const unit = parseUnitFile('[Install]\nWantedBy=a.target\nWantedBy=\nWantedBy=b.target \\\n# no\n  c.target\n;x\n')
    expect(unitList(unit, 'Install', 'WantedBy')).toEqual(['b.target', 'c.target'])
  })
})

describe('enableUnit', () => {
  it('makes the links of WantedBy, RequiredBy, Alias and Also, and ends in a circle', async () => {
    const tree = memoryRootfs({
      lib: '-> usr/lib',
      'usr/lib/systemd/system/a.service':
        '[Install]\nWantedBy=multi-user.target\nRequiredBy=r.target\nAlias=dbus-a.service\nAlso=b.socket\n',
      'usr/lib/systemd/system/b.socket': '[Install]\nWantedBy=sockets.target\nAlso=a.service\n',
    })
    expect(await enableUnit(tree, 'a.service')).toBe(true)
    const link = '-> /usr/lib/systemd/system/a.service'
    expect(tree.show('etc/systemd/system/multi-user.target.wants/a.service')).toBe(link)
    expect(tree.show('etc/systemd/system/r.target.requires/a.service')).toBe(link)
    expect(tree.show('etc/systemd/system/dbus-a.service')).toBe(link)
    expect(tree.show('etc/systemd/system/sockets.target.wants/b.socket')).toBe('-> /usr/lib/systemd/system/b.socket')
  })
  it('knows templates and their default instance', async () => {
    const tree = memoryRootfs({
      'lib/systemd/system/getty@.service': '[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n',
    })
    await enableUnit(tree, 'getty@.service')
    await enableUnit(tree, 'getty@tty2.service')
    for (const name of ['getty@tty1.service', 'getty@tty2.service']) {
      expect(tree.show(`etc/systemd/system/getty.target.wants/${name}`)).toBe('-> /lib/systemd/system/getty@.service')
    }
  })
  it('says when there is no such unit, and follows no name out of its folder', async () => {
    const tree = memoryRootfs({ 'lib/systemd/system/x.service': '[Install]\nWantedBy=../../../evil\n' })
    expect(await enableUnit(tree, 'nothing.service')).toBe(false)
    await expect(enableUnit(tree, 'x.service')).rejects.toThrow(/no name of a systemd unit/)
  })
})

describe('masks', () => {
  it('are links to /dev/null, and only those are undone', async () => {
    const tree = memoryRootfs({ 'etc/systemd/system/own.service': '[Service]\n' })
    await maskUnit(tree, 'getty.target')
    expect(tree.show('etc/systemd/system/getty.target')).toBe('-> /dev/null')
    await unmaskUnit(tree, 'getty.target')
    await unmaskUnit(tree, 'own.service')
    expect(tree.show('etc/systemd/system/getty.target')).toBeUndefined()
    expect(tree.show('etc/systemd/system/own.service')).toBe('[Service]\n')
  })
})
