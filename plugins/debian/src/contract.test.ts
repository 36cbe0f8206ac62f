import { distroContract } from '@c2m/testkit'
import { describe, it } from 'vitest'
import { plugin } from './index.js'
import { osRelease } from './testing/task.js'

/** What packages bring, and steps enable. */
const UNITS = ['multi-user.target', 'systemd-networkd.service', 'systemd-resolved.service', 'networking.service']

const tree = (version: string) => ({
  'etc/os-release': osRelease(version),
  'var/lib/dpkg/status': '',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
  'etc/shadow': 'root:*:19700:0:99999:7:::\n',
  'etc/group': 'root:x:0:\nsudo:x:27:\n',
  'boot/vmlinuz-6.1.0-9-amd64': 'kernel',
  ...Object.fromEntries(UNITS.map((name) => [`lib/systemd/system/${name}`, '[Install]\nWantedBy=multi-user.target\n'])),
})
const contract = distroContract(plugin, {
  id: 'debian',
  trees: { 'Debian 9': tree('9'), 'Debian 12': tree('12') },
  foreign: {
    'Debian without packages': { 'etc/os-release': osRelease('12') },
    Devuan: { 'etc/os-release': 'ID=devuan\nID_LIKE=debian\n', 'var/lib/dpkg/status': '' },
  },
  kernels: {
    files: {
      'boot/vmlinuz-6.1.0-9-amd64': 'x',
      'boot/vmlinuz-6.1.0-31-amd64': 'x',
      'boot/initrd.img-6.1.0-31-amd64': 'x',
    },
    newestFirst: ['6.1.0-31-amd64', '6.1.0-9-amd64'],
  },
})

describe("a distro plugin's contract", () => {
  it.each(contract)('$name', ({ check }) => check())
})
