import { describe, expect, it } from 'vitest'
import { describeTree, hardLink, member, merged, temporaryFolder } from '../testing/fixtures.js'
import { editRootfs } from '../edit/edit.js'
import { expressibleRootfs } from './expressible.js'

const folder = temporaryFolder()

describe('expressibleRootfs', () => {
  it('leaves out what no image holds and says why', async () => {
    const xattrs = new Map([
      ['security.selinux', Buffer.from('label')],
      ['security.capability', Buffer.from([0xff, 0x80])],
      ['trusted.overlay.opaque', Buffer.from('y')],
      ['user.note', Buffer.from('n')],
    ])
    await using base = await merged(folder, [
      member('a', { content: 'a', xattrs }),
      hardLink('b', 'a'),
      member('null', { type: 'character', device: { major: 1, minor: 3 } }),
      member('pipe', { type: 'fifo' }),
    ])
    const edit = editRootfs(base)
    await edit.put({ path: 'socket', type: 'socket', mode: 0o755 })
    await edit.put({ path: 'd/.wh.x/inner', type: 'file', mode: 0o644 })
    const why: string[] = []
    const dropped: string[] = []
    const rootfs = await expressibleRootfs(edit, {
      onLeftOut: (what) => why.push(`${what.path}: ${what.why}`),
      onXattr: (path, name) => dropped.push(`${path} ${name}`),
    })
    expect((await describeTree(rootfs)).map((line) => line.split(' ')[0])).toEqual(['/', 'a', 'b', 'd', 'pipe'])
    expect([...((await rootfs.stat('b'))?.xattrs.keys() ?? [])]).toEqual(['security.capability', 'user.note'])
    expect(why.map((line) => line.split(':')[0])).toEqual(['d/.wh.x/inner', 'd/.wh.x', 'null', 'socket'])
    expect(dropped).toContain('a trusted.overlay.opaque')
    const withDevices = await expressibleRootfs(edit, { devices: true })
    expect(await withDevices.list('')).toContain('null')
  })
})
