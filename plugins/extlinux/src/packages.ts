import type { BootTask } from '@c2m/plugin-api'

const NAMES: Readonly<Record<string, readonly string[]>> = {
  apt: ['extlinux', 'syslinux', 'syslinux-common'],
  apk: ['syslinux'],
}

/** Package names by package manager; undefined where they are not known, and the host's files serve. */
export function extlinuxPackages(packageManager: BootTask['packageManager']): readonly string[] | undefined {
  return Object.hasOwn(NAMES, packageManager) ? NAMES[packageManager] : undefined
}
