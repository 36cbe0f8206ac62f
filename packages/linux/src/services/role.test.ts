import { describe, expect, it } from 'vitest'
import { linuxFindings } from '../findings.js'
import { memoryRootfs } from '../testing/memory-rootfs.js'
import { serviceRole } from './role.js'

describe('serviceRole', () => {
  it.each([
    ...[
      'user-service.service',
      'apt-cacher-ng.service',
      'cloud-sql-proxy.service',
      'google-maps-cache',
      'rsync-backup',
    ],
    ...['rpc-server', 'snap-collector', 'dnf-mirror', 'user-api', 'ec2-billing', 'nm-web', 'root-cms'],
  ])('%s is an application', (name) => expect(serviceRole(name)).toBe('application'))
  it.each([
    ...[
      'user@1000.service',
      'user-runtime-dir@0.service',
      'cloud-init-local.service',
      'cloud-final',
      'apt-daily-upgrade',
    ],
    ...['systemd-networkd.service', 'serial-getty@ttyS0', 'ssh', 'snapd.seeded', 'modprobe@drm', 'google-guest-agent'],
    ...[
      'NetworkManager-wait-online',
      'dbus-org.freedesktop.login1',
      'dracut-shutdown',
      'rpc-statd',
      'c2m-verify',
      'hwclock',
    ],
  ])('%s keeps a machine going', (name) => expect(serviceRole(name)).toBe('system'))
})

describe('a unit that somebody wrote', () => {
  const LIB = 'usr/lib/systemd/system'
  it('is an application however its name begins, unless the name is a known one', async () => {
    const unit = '[Service]\nExecStart=/usr/bin/app\n'
    const names = ['zfs-web', 'systemd-edited', 'systemd-networkd', 'hv-linked', 'cron', 'c2m-verify']
    const rootfs = memoryRootfs({
      'usr/lib/systemd/systemd': 'x',
      [`${LIB}/default.target`]: '[Unit]\n',
      [`${LIB}/systemd-networkd.service`]: unit,
      [`${LIB}/hv-linked.service`]: unit,
      // `systemctl edit --full` makes such copies
      [`${LIB}/systemd-edited.service`]: unit,
      'etc/systemd/system/systemd-edited.service': unit,
      'etc/systemd/system/zfs-web.service': unit,
      'etc/systemd/system/cron.service': unit,
      'etc/systemd/system/c2m-verify.service': unit,
      ...Object.fromEntries(names.map((name) => [`etc/systemd/system/default.target.wants/${name}.service`, '-> x'])),
    })
    const { services } = await linuxFindings({ rootfs, architecture: 'amd64', warn: () => undefined })
    expect(services).toHaveLength(names.length)
    expect(services.filter(({ role }) => role === 'application').map(({ name }) => name)).toEqual(['zfs-web.service'])
  })
})
