import type { BootTraces, CleaningRule } from '@c2m/plugin-api'

/** UEFI's folder and that of the Boot Loader Specification, which several boot loaders share. */
const SHARED = '/boot/{EFI,loader}'

/**
 * Where a kernel and what boots it lie. Globs do not follow /lib, so both spellings of a merged /usr are named.
 * @param loaders what boot loaders that are known leave, as globs
 */
export function bootRules(loaders: BootTraces['files']): readonly CleaningRule[] {
  return [kernelRule(loaders), loaderRule(loaders), ...RULES]
}

function kernelRule(loaders: BootTraces['files']): CleaningRule {
  return {
    id: 'kernel',
    // firmware is the kernel's: a container has the host's
    summary: 'kernels, initramfs, their modules and firmware',
    byDefault: true,
    empty: ['/boot', '/{usr/,}lib/modules', '/{usr/,}lib/firmware'],
    remove: ['/{vmlinuz,vmlinux,initrd.img,initrd}{,.old}', '/{usr/,}lib/debug/lib/modules', '/{usr/,}lib/debug/boot'],
    except: ['/boot/{efi,lost+found}', SHARED, ...loaders],
  }
}

function loaderRule(loaders: BootTraces['files']): CleaningRule {
  return {
    id: 'bootloader',
    // configuration that belongs to a package stays: the package database stays whole, and the package's next upgrade
    // would miss it
    summary: 'what boot loaders installed on the disk',
    byDefault: true,
    empty: ['/boot/efi', '/efi'],
    remove: [SHARED, ...loaders],
  }
}

const RULES: readonly CleaningRule[] = [
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
