import { describe, expect, it } from 'vitest'
import { memoryRootfs } from '../../../../packages/linux/src/testing/memory-rootfs.js'
import { packageFiles } from './package-files.js'

describe('packageFiles', () => {
  it('spells paths as the tree does, and follows diversions', async () => {
    const rootfs = memoryRootfs({
      bin: '-> usr/bin',
      'usr/bin/ls': 'x',
      'usr/share/x': undefined,
      'var/lib/dpkg/diversions': '/bin/sh\n/bin/sh.distrib\ndash\n/usr/share/x/y\n/usr/share/x/y.old\n:\n',
      'var/lib/dpkg/info/coreutils.list': '/.\n/bin\n/bin/ls\n/usr/share/x\n/usr/share/x/y\n',
      'var/lib/dpkg/info/bash:amd64.list': '/bin/sh\n/../etc/passwd\nrelative\n/gone/z\n',
      'var/lib/dpkg/info/dash.list': '/bin/sh\n',
      'var/lib/dpkg/info/dash.md5sums': '/etc/other\n',
    })
    const warnings: string[] = []
    const files = await packageFiles(rootfs, (message) => warnings.push(message))
    expect([...files].sort()).toEqual([
      '',
      'bin',
      'usr/bin/ls',
      'usr/bin/sh',
      'usr/bin/sh.distrib',
      'usr/share/x',
      'usr/share/x/y.old',
    ])
    expect(warnings).toEqual([])
  })
})
