import type { CleaningRule } from '@c2m/plugin-api'

/** Where a kernel and what boots it lie. Globs do not follow /lib, so both spellings of a merged /usr are named. */
export const BOOT_RULES: readonly CleaningRule[] = [
  {
    id: 'kernel',
    // firmware is the kernel's: a container has the host's
    summary: 'kernels, initramfs, their modules and firmware',
    byDefault: true,
    empty: ['/boot', '/{usr/,}lib/modules', '/{usr/,}lib/firmware'],
    remove: ['/{vmlinuz,vmlinux,initrd.img,initrd}{,.old}', '/{usr/,}lib/debug/lib/modules', '/{usr/,}lib/debug/boot'],
    except: ['/boot/{grub,grub2,efi,EFI,loader,extlinux,syslinux,lost+found}'],
  },
  {
    id: 'bootloader',
    // configuration that belongs to a package (/etc/default/grub, /etc/grub.d) stays: the package database stays whole,
    // and the package's next upgrade would miss it
    summary: 'what boot loaders installed on the disk',
    byDefault: true,
    empty: ['/boot/efi', '/efi'],
    remove: ['/boot/{grub,grub2,EFI,loader,extlinux,syslinux}', '/etc/lilo.conf'],
  },
  {
    id: 'boot-flags',
    summary: 'notes to the next boot',
    byDefault: true,
    remove: ['/.autorelabel', '/.unconfigured', '/{fastboot,forcefsck,forcequotacheck}', '/{etc,var}/.updated'],
  },
  {
    id: 'c2m',
    summary: 'what c2m added when it made the machine of an image',
    byDefault: true,
    remove: [
      '/var/lib/c2m',
      '/usr/local/lib/c2m',
      '/etc/systemd/system/{,*.wants/}c2m-*',
      '/etc/systemd/system/*.d/c2m.conf',
      '/etc/udev/rules.d/*c2m*',
      '/etc/{init.d,runlevels/*}/c2m-*',
    ],
  },
]
