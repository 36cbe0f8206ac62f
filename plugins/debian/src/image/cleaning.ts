import type { CleaningRule } from '@c2m/plugin-api'

/** What only a machine with dpkg, apt and initramfs-tools needs, besides what any Linux does. */
export const APT_CLEANING: readonly CleaningRule[] = [
  {
    id: 'package-caches',
    summary: "apt's package lists and downloads, dpkg's and debconf's old copies",
    byDefault: true,
    remove: [
      '/var/cache/apt/archives/{,partial/}*.deb',
      '/var/cache/apt/{pkgcache,srcpkgcache}.bin*',
      '/var/lib/apt/lists/{,partial/,auxfiles/}*',
      '/var/lib/apt/{listchanges.db*,periodic/*}',
      '/var/cache/debconf/*-old',
      '/var/lib/dpkg/*-old',
      '/var/backups/{apt.extended_states,alternatives.tar,dpkg.}*',
      '/var/cache/{apt-show-versions,apt-xapian-index}/*',
      '/var/lib/command-not-found/*',
    ],
    // apt makes none of them itself where it may not
    except: ['/var/lib/apt/lists/{partial,auxfiles}'],
  },
  {
    id: 'initramfs',
    summary: 'notes on initramfs images that are gone',
    byDefault: true,
    remove: ['/var/lib/{initramfs-tools,dracut}/*', '/var/tmp/mkinitramfs*'],
  },
  {
    id: 'update-services',
    summary: 'state of unattended-upgrades, popularity-contest and their like, with the ids they made',
    byDefault: true,
    remove: [
      '/var/lib/unattended-upgrades/*',
      '/var/lib/{update-notifier,update-manager}/*',
      '/etc/popularity-contest.conf',
      '/var/lib/popularity-contest',
    ],
  },
]
