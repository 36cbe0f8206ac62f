import { compareVersions } from '@c2m/linux'

/** What differs between Alpine's releases, as far as making a machine is concerned. */
export interface Release {
  readonly version: readonly number[]
  /** Its last updates, as year-month-day; its packages stay on the mirrors. */
  readonly endOfLife?: string
  /** The package of the kernel with all drivers. */
  readonly fullKernel: 'linux-vanilla' | 'linux-lts'
  /** Packages with busybox's service scripts. */
  readonly serviceScripts: readonly string[]
  /** What lets users become root: sudo is no longer among the distribution's own packages since it has doas there. */
  readonly becomeRoot: 'sudo' | 'doas'
}

const OLD_SCRIPTS = ['busybox-initscripts']
const SCRIPTS = ['busybox-mdev-openrc', 'busybox-openrc']

/** Oldest first. */
export const RELEASES: readonly Release[] = [
  release(9, '2020-11-01', { fullKernel: 'linux-vanilla' }),
  release(10, '2021-05-01', { fullKernel: 'linux-vanilla' }),
  release(11, '2021-11-01', {}),
  release(12, '2022-05-01', {}),
  release(13, '2022-11-01', {}),
  release(14, '2023-05-01', {}),
  release(15, '2023-11-01', {}),
  release(16, '2024-05-23', { becomeRoot: 'doas' }),
  release(17, '2024-11-22', { becomeRoot: 'doas', serviceScripts: SCRIPTS }),
  release(18, '2025-05-09', { becomeRoot: 'doas', serviceScripts: SCRIPTS }),
  release(19, '2025-11-01', { becomeRoot: 'doas', serviceScripts: SCRIPTS }),
  release(20, '2026-04-01', { becomeRoot: 'doas', serviceScripts: SCRIPTS }),
  release(21, '2026-11-01', { becomeRoot: 'doas', serviceScripts: SCRIPTS }),
  release(22, '2027-05-01', { becomeRoot: 'doas', serviceScripts: SCRIPTS }),
  release(23, undefined, { becomeRoot: 'doas', serviceScripts: SCRIPTS }),
]

function release(minor: number, endOfLife: string | undefined, differing: Partial<Release>): Release {
  return {
    version: [3, minor],
    ...(endOfLife === undefined ? {} : { endOfLife }),
    fullKernel: 'linux-lts',
    serviceScripts: OLD_SCRIPTS,
    becomeRoot: 'sudo',
    ...differing,
  }
}

/** What holds for a version: its own release, or the newest for one that is newer or has no number (edge). */
export function releaseOf(version: readonly number[] | undefined, releases: readonly Release[]): Release {
  const [newest] = releases.slice(-1)
  if (newest === undefined) throw new Error('a distro needs at least one release')
  if (version === undefined) return newest
  return releases.filter((one) => compareVersions(one.version, version) <= 0).at(-1) ?? newest
}
