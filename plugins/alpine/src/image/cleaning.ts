import type { CleaningRule } from '@c2m/plugin-api'

/** What only a machine with apk, OpenRC and mkinitfs needs, besides what any Linux does. */
export const ALPINE_CLEANING: readonly CleaningRule[] = [
  {
    id: 'package-caches',
    summary: "apk's package lists and downloads",
    byDefault: true,
    empty: ['/var/cache/apk'],
    remove: ['/etc/apk/cache', '/{usr/,}lib/apk/db/*.new'],
  },
  {
    id: 'runlevels',
    // others stay: they are what --init openrc starts in a container
    summary: 'services that only a machine starts: devices, clocks, disks, network cards',
    byDefault: true,
    remove: [
      '/etc/runlevels/sysinit/{cgroups,devfs,dmesg,hwdrivers,mdev,mdevd,mdevd-init,modloop,procfs,sysfs,udev,udev-postmount,udev-settle,udev-trigger}',
      '/etc/runlevels/boot/{fsck,hwclock,keymaps,loadkmap,localmount,modules,mtab,networking,procfs,root,seedrng,swap,swclock,sysctl,sysfs,urandom}',
      '/etc/runlevels/default/{acpid,chronyd,netmount,ntpd,openntpd,qemu-guest-agent,udev-postmount,open-vm-tools,tiny-cloud*}',
      '/etc/runlevels/shutdown/mount-ro',
    ],
  },
  {
    id: 'setup',
    summary: "the installer's and first boots' notes",
    byDefault: true,
    remove: ['/etc/lbu', '/var/lib/cloud/.bootstrap-complete', '/etc/.default_boot_services'],
  },
]
