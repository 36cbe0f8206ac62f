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
  'boot/vmlinuz-6.8.0-9-generic': 'kernel',
  ...Object.fromEntries(UNITS.map((name) => [`lib/systemd/system/${name}`, '[Install]\nWantedBy=multi-user.target\n'])),
})
const contract = distroContract(plugin, {
  id: 'ubuntu',
  trees: { 'Ubuntu 16.04': tree('16.04'), 'Ubuntu 24.04': tree('24.04') },
  foreign: {
    'Ubuntu without packages': { 'etc/os-release': osRelease('24.04') },
    Debian: { 'etc/os-release': 'ID=debian\nVERSION_ID="12"\n', 'var/lib/dpkg/status': '' },
  },
  kernels: {
    files: { 'boot/vmlinuz-6.8.0-9-generic': 'x', 'boot/vmlinuz-6.8.0-31-generic': 'x' },
    newestFirst: ['6.8.0-31-generic', '6.8.0-9-generic'],
  },
})

describe("a distro plugin's contract", () => {
  it.each(contract)('$name', ({ check }) => check())
})
