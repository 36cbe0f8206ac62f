import { distroContract } from '@c2m/testkit'
import { describe, it } from 'vitest'
import { plugin } from './index.js'
import { osRelease } from './testing/task.js'

const tree = (version: string) => ({
  'etc/os-release': osRelease(version),
  'lib/apk/db/installed': '',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/ash\n',
  'etc/shadow': 'root:*::0:::::\n',
  'etc/group': 'root:x:0:root\nwheel:x:10:root\n',
  'boot/vmlinuz-virt': 'kernel',
  'etc/init.d/hostname': 'script',
})
const contract = distroContract(plugin, {
  trees: { 'Alpine 3.9': tree('3.9.6'), 'Alpine 3.19': tree('3.19.4') },
  foreign: {
    'Alpine without packages': { 'etc/os-release': osRelease('3.19.4') },
    postmarketOS: { 'etc/os-release': 'ID=postmarketos\nID_LIKE=alpine\n', 'lib/apk/db/installed': '' },
  },
  kernels: {
    files: {
      'boot/vmlinuz-lts': 'x',
      'usr/share/kernel/lts/kernel.release': '6.6.9-0-lts\n',
      'boot/vmlinuz-virt': 'x',
      'usr/share/kernel/virt/kernel.release': '6.6.10-0-virt\n',
    },
    newestFirst: ['6.6.10-0-virt', '6.6.9-0-lts'],
  },
})

describe("a distro plugin's contract", () => {
  it.each(contract)('$name', ({ check }) => check())
})
