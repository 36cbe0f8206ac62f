import type { DiskPlan, InstalledKernel, PlannedPartition } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import { menuText, menuTitle, type Menu } from './menu.js'

const root: PlannedPartition = {
  role: 'root',
  number: 1,
  firstLba: 2048,
  size: 1 << 30,
  mountpoint: '/',
  filesystem: 'ext4',
  uuid: 'aaaa-bbbb',
  partuuid: 'deadbeef-01',
}
const disk: DiskPlan = { table: 'mbr', id: 'deadbeef', partitions: [root] }
const ownBoot: DiskPlan = {
  ...disk,
  partitions: [
    { ...root, role: 'boot', mountpoint: '/boot', uuid: 'cccc' },
    { ...root, number: 2 },
  ],
}
const kernels: readonly InstalledKernel[] = [
  { version: '6.1.0-9-x', kernel: '/boot/vmlinuz-6.1.0-9-x', initrd: '/boot/initrd.img-6.1.0-9-x' },
  { version: '5.10', kernel: '/boot/vmlinuz-5.10' },
]
const menu: Menu = {
  disk,
  osName: 'Example 1',
  kernels,
  cmdline: ['quiet', 'x="a b"'],
  consoles: ['tty0', 'ttyS1,38400'],
  timeout: 2,
  keeper: undefined,
}

describe('menuText', () => {
  it('is this', () => {
    expect(menuText(menu)).toBe(`SERIAL 1 38400
# Written by c2m.
UI menu.c32
PROMPT 0
TIMEOUT 20
MENU TITLE Example 1
APPEND root=UUID=aaaa-bbbb ro quiet x="a b" console=tty0 console=ttyS1,38400

# Kernels, newest first:

LABEL 6.1.0-9-x
  MENU LABEL Linux 6.1.0-9-x
  LINUX /boot/vmlinuz-6.1.0-9-x
  INITRD /boot/initrd.img-6.1.0-9-x

LABEL 5.10
  MENU LABEL Linux 5.10
  LINUX /boot/vmlinuz-5.10
  APPEND root=PARTUUID=deadbeef-01 ro quiet x="a b" console=tty0 console=ttyS1,38400
`)
  })

  it("has the kernels' paths in a /boot of its own, and the root of the machine", () => {
    const text = menuText({ ...menu, disk: ownBoot })
    expect(text).toContain('  LINUX /vmlinuz-6.1.0-9-x\n  INITRD /initrd.img-6.1.0-9-x\n')
    expect(text).toContain('APPEND root=UUID=aaaa-bbbb ')
  })

  it.each([
    [0, 1],
    [0.04, 1],
    [5, 50],
    [1e9, 35996],
    [Number.NaN, 50],
  ])('never waits for ever: %d s', (timeout, tenths) => {
    expect(menuText({ ...menu, timeout })).toContain(`\nTIMEOUT ${tenths}\n`)
  })

  it('leaves out what it cannot read, and says when nothing is left', () => {
    const only = (kernel: Partial<InstalledKernel>, where = disk) =>
      menuText({ ...menu, disk: where, kernels: [{ version: '1', kernel: '/boot/vmlinuz', ...kernel }] })
    expect(only({})).toContain('LABEL 1\n')
    for (const [kernel, where] of [
      [{ kernel: '/boot/my kernel' }],
      [{ kernel: '/boot/a\nLABEL b' }],
      [{ kernel: '/vmlinuz' }, ownBoot],
      [{ initrd: '/boot/a,b' }],
      [{ version: 'a\nb' }],
      [{ version: '' }],
    ] as const) {
      expect(() => only(kernel, where)).toThrow(expect.objectContaining({ code: 'C2M_EXTLINUX_NO_KERNEL' }))
    }
    expect(() => menuText({ ...menu, kernels: [] })).toThrow(
      expect.objectContaining({ code: 'C2M_EXTLINUX_NO_KERNEL' }),
    )
  })

  it('refuses words and UUIDs that would end a line', () => {
    expect(() => menuText({ ...menu, cmdline: ['a\nUI evil.c32'] })).toThrow(
      expect.objectContaining({ code: 'C2M_EXTLINUX_CMDLINE', exitCode: 2 }),
    )
    const partitions = [{ ...root, uuid: 'a b' }]
    expect(() => menuText({ ...menu, disk: { ...disk, partitions } })).toThrow(
      expect.objectContaining({ code: 'C2M_EXTLINUX_NO_UUID' }),
    )
  })

  it.each([
    [['tty0', 'ttyS0,115200n8'], 'SERIAL 0 115200'],
    [['ttyS2'], 'SERIAL 2 9600'],
    [['ttyS9', 'ttyS0,12345', 'tty0'], '# Written by c2m.'],
  ])('begins, with consoles %j, with %s', (consoles, line) => {
    expect(menuText({ ...menu, consoles }).split('\n')[0]).toBe(line)
  })
})

describe('menuTitle', () => {
  it.each([
    ['Exämple\nLABEL x', 'Ex mple LABEL x'],
    ['a^b', 'ab'],
    ['\u0000', 'Linux'],
    ['x'.repeat(200), 'x'.repeat(76)],
  ])('of %j is %j', (name, title) => {
    expect(menuTitle(name)).toBe(title)
  })
})
