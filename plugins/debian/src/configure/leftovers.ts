import type { Step } from '@c2m/plugin-api'
import { undivert } from './diversions.js'

/**
 * What images for containers configure against being a machine: no services started on installation, no documentation,
 * languages or downloaded packages kept, compressed package lists, dpkg without fsync.
 */
export const CONTAINER_SETTINGS = [
  '/etc/apt/apt.conf.d/docker-autoremove-suggests',
  '/etc/apt/apt.conf.d/docker-clean',
  '/etc/apt/apt.conf.d/docker-gzip-indexes',
  '/etc/apt/apt.conf.d/docker-no-languages',
  '/etc/dpkg/dpkg.cfg.d/docker',
  '/etc/dpkg/dpkg.cfg.d/docker-apt-speedup',
  '/etc/dpkg/dpkg.cfg.d/excludes',
]

const OTHERS = ['/usr/sbin/policy-rc.d', '/.dockerenv', '/run/.containerenv']

export function leftoverSteps(owner: string): readonly Step[] {
  return [
    {
      id: `${owner}/container-settings`,
      title: 'remove what only a container needs',
      phase: 'configure',
      do: 'remove',
      paths: [...CONTAINER_SETTINGS, ...OTHERS],
    },
    {
      id: `${owner}/initctl`,
      title: 'give /sbin/initctl back',
      phase: 'configure',
      do: 'custom',
      run: ({ rootfs }) =>
        undivert(rootfs, '/sbin/initctl', { target: '/bin/true', script: /^#!\/bin\/sh\s+exit 0\s*$/ }),
    },
  ]
}
