import { describe, expect, it } from 'vitest'
import { memoryRootfs } from '../../../../packages/linux/src/testing/memory-rootfs.js'
import { packageFiles } from './package-files.js'

const files = async (tree: Record<string, string>) => {
  const warnings: string[] = []
  const found = await packageFiles(memoryRootfs(tree), (message) => warnings.push(message))
  return { found: [...found].sort(), warnings }
}

describe('packageFiles', () => {
  it("are those of apk's database, as the tree spells them, and busybox's links", async () => {
    const { found, warnings } = await files({
      lib: '-> usr/lib',
      'usr/lib/x': '',
      'etc/motd': '',
      'bin/ls': '-> /bin/busybox',
      'bin/own': '-> /usr/local/bin/own',
      'lib/apk/db/installed': '',
      'usr/lib/apk/db/installed': [
        'C:Q1x=\nP:musl\nV:1.2\nF:lib\nR:ld.so\na:0:0:755\nZ:Q1y=\n',
        'P:base\nF:\nF:etc\nR:motd\nF:etc/../..\nR:passwd\nF:/abs\nR:..\nR:x/../../y\nF:gone/deep\nR:z\n',
      ].join('\n'),
    })
    expect(found).toEqual(['', 'bin/ls', 'etc', 'etc/motd', 'lib', 'usr/lib/ld.so'])
    expect(warnings).toEqual([])
  })
  it('are none where there is no database', async () => {
    expect((await files({ 'etc/x': '' })).found).toEqual([''])
  })
})
