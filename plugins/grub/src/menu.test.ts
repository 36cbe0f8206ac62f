import type { DiskPlan, PlannedPartition } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import { fileSystemUuid, locate, prefixOnBootDisk } from './location.js'
import { type Menu, menuText, redirectText } from './menu.js'

const root: PlannedPartition = {
  role: 'root',
  number: 3,
  firstLba: 1 << 18,
  size: 1 << 30,
  mountpoint: '/',
  filesystem: 'ext4',
  uuid: '11111111-2222-4333-8444-555555555555',
  partuuid: 'aaaaaaaa-0000-4000-8000-000000000003',
}
const boot: PlannedPartition = {
  ...root,
  role: 'boot',
  number: 2,
  mountpoint: '/boot',
  uuid: '99999999-2222-4333-8444-555555555555',
}
const disk: DiskPlan = { table: 'gpt', id: 'aaaaaaaa-0000-4000-8000-000000000000', partitions: [root] }
const kernel = (version: string) => ({
  version,
  kernel: `/boot/vmlinuz-${version}`,
  initrd: `/boot/initrd.img-${version}`,
})
const menu: Menu = {
  disk,
  osName: 'Example Linux 1',
  kernels: [kernel('6.2'), kernel('6.1')],
  cmdline: ['net.ifnames=0'],
  consoles: ['tty0', 'ttyS0,115200n8'],
  serial: { unit: 0, speed: 115200 },
  timeout: 2,
}

describe('menuText', () => {
  it('is this', () => {
    expect(menuText(menu))
      .toBe(`# Written by c2m. \`update-grub\` writes it anew, from /etc/default/grub and /etc/grub.d.
if [ -s $prefix/grubenv ]; then
  load_env
fi
set default=0
if [ -n "$next_entry" ]; then
  set default="$next_entry"
  set next_entry=
  save_env next_entry
fi
set fallback="1"
set timeout_style=menu
set timeout=2
if [ "$grub_platform" = pc ]; then
  if serial --unit=0 --speed=115200; then
    terminal_input console serial
    terminal_output console serial
  fi
fi
if [ "$grub_platform" = efi ]; then
  insmod all_video
fi
${entry('Example Linux 1', '6.2', '')}
${entry('Example Linux 1, with Linux 6.1', '6.1', '')}
submenu 'Advanced options for Example Linux 1' {
${indented(entry('Example Linux 1, with Linux 6.2', '6.2', ''))}
${indented(entry('Example Linux 1, with Linux 6.2 (recovery mode)', '6.2', ' single'))}
${indented(entry('Example Linux 1, with Linux 6.1', '6.1', ''))}
${indented(entry('Example Linux 1, with Linux 6.1 (recovery mode)', '6.1', ' single'))}
}
if [ "$grub_platform" = efi ]; then
  menuentry 'UEFI Firmware Settings' {
    fwsetup
  }
fi
`)
  })

  it('has no serial terminal without a serial console, and no fallback for a single kernel', () => {
    const text = menuText({ ...menu, serial: undefined, kernels: [kernel('6.1')] })
    expect(text).not.toMatch(/serial|fallback/)
  })

  it('finds kernels on a partition of their own', () => {
    const text = menuText({ ...menu, disk: { ...disk, partitions: [boot, root] } })
    expect(text).toContain(`--hint="$disk," ${boot.uuid}`)
    expect(text).toContain(`linux /vmlinuz-6.2 root=UUID=${root.uuid} ro`)
    expect(text).toContain('initrd /initrd.img-6.2\n')
  })

  it('names the root by PARTUUID when there is no initrd', () => {
    const text = menuText({ ...menu, kernels: [{ version: '6.2', kernel: '/boot/vmlinuz' }] })
    expect(text).toContain(`linux /boot/vmlinuz root=PARTUUID=${root.partuuid} ro`)
    expect(text).not.toContain('initrd')
  })

  it('lets no name out of its quotes', () => {
    const text = menuText({ ...menu, osName: `x' {\n}\nhalt\n'`, kernels: [kernel(`6.1'$(x) {`)] })
    expect(text).toContain(`menuentry 'x'\\'' { } halt '\\''' {`)
    expect(text).toContain(`linux '/boot/vmlinuz-6.1'\\''$(x) {' root=`)
    expect(text).not.toMatch(/^halt/m)
  })

  it('leaves out kernels whose names cannot be written, and needs one', () => {
    const broken = kernel('6.3\n')
    expect(menuText({ ...menu, kernels: [broken, kernel('6.1')] })).not.toContain('6.3')
    expect(() => menuText({ ...menu, kernels: [broken] })).toThrow(
      expect.objectContaining({ code: 'C2M_GRUB_NO_KERNEL' }),
    )
  })

  it.each([
    [Number.NaN, 5],
    [-3, 0],
    [2.6, 3],
    [1e12, 86_400],
  ])('shows itself for whole seconds: %d is %d', (timeout, seconds) => {
    expect(menuText({ ...menu, timeout })).toContain(`set timeout=${seconds}\n`)
  })
})

describe('redirectText', () => {
  it('leads to the menu', () => {
    expect(redirectText(disk)).toBe(`# Written by c2m: the menu is in the file system of the machine.
regexp --set=1:disk '^([^,]+)' "$root"
search --no-floppy --fs-uuid --set=root --hint="$disk," ${root.uuid}
set prefix=($root)/boot/grub
configfile $prefix/grub.cfg
`)
    expect(redirectText({ ...disk, partitions: [boot, root] })).toContain('set prefix=($root)/grub\n')
  })
})

describe('locations', () => {
  it('are on the innermost partition', () => {
    const both = { ...disk, partitions: [boot, root] }
    expect(locate(both, '/boot/grub')).toEqual({ partition: boot, path: '/grub' })
    expect(locate(both, '/boot')).toEqual({ partition: boot, path: '/' })
    expect(locate(both, '/bootstrap')).toEqual({ partition: root, path: '/bootstrap' })
  })

  it('give a prefix without a drive', () => {
    expect(prefixOnBootDisk(disk)).toBe('(,gpt3)/boot/grub')
    expect(prefixOnBootDisk({ ...disk, table: 'mbr', partitions: [boot, root] })).toBe('(,msdos2)/grub')
  })

  it('need a root and a UUID', () => {
    expect(() => prefixOnBootDisk({ ...disk, partitions: [] })).toThrow(
      expect.objectContaining({ code: 'C2M_GRUB_NO_ROOT' }),
    )
    for (const uuid of [undefined, '', '$(x)', `${root.uuid}\n`]) {
      expect(() => fileSystemUuid({ ...root, uuid })).toThrow(expect.objectContaining({ code: 'C2M_GRUB_NO_UUID' }))
    }
  })
})

function entry(title: string, version: string, mode: string): string {
  return `menuentry '${title}' {
  regexp --set=1:disk '^([^,]+)' "$root"
  search --no-floppy --fs-uuid --set=root --hint="$disk," ${root.uuid}
  echo 'Loading Linux ${version} ...'
  linux /boot/vmlinuz-${version} root=UUID=${root.uuid} ro${mode} net.ifnames=0 console=tty0 console=ttyS0,115200n8
  initrd /boot/initrd.img-${version}
}`
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ')
}
