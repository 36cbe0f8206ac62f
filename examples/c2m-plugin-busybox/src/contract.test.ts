import { distroContract } from '@c2m/testkit'
import { describe, it } from 'vitest'
import { plugin } from './index.js'

const tree = { 'bin/busybox': 'ELF', 'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n', 'etc/shadow': 'root:*:::::::\n' }

const contract = distroContract(plugin, {
  trees: { BusyBox: tree },
  foreign: {
    'a distribution that uses BusyBox': { ...tree, 'etc/os-release': 'ID=other\n' },
    'one that does not say so': { ...tree, 'lib/apk/db/installed': '' },
  },
  kernels: {
    files: { 'boot/vmlinuz-6.1.0-9-x': 'x', 'boot/vmlinuz-6.1.0-31-x': 'x', 'boot/initramfs-6.1.0-31-x': 'x' },
    newestFirst: ['6.1.0-31-x', '6.1.0-9-x'],
  },
})

describe("a distro plugin's contract", () => {
  it.each(contract)('$name', ({ check }) => check())
})
