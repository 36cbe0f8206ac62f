import { describe, expect, it } from 'vitest'
import type { DiskPlan, Step, StepContext } from '@c2m/plugin-api'
import { memoryRootfs } from '../testing/memory-rootfs.js'
import { fstab } from './fstab.js'
import { identitySteps } from './identity.js'
import { parseLocale } from './locale.js'
import { sshHostKeySteps } from './ssh-host-keys.js'
import { checkTimezone, timezoneSteps } from './timezone.js'

async function run(steps: readonly Step[], rootfs: ReturnType<typeof memoryRootfs>): Promise<void> {
  for (const step of steps) if (step.do === 'custom') await step.run({ rootfs } as unknown as StepContext)
}

describe('fstab', () => {
  it('mounts by UUID, the root first and swap last', () => {
    const part = { size: 0, firstLba: 2048, partuuid: '' }
    const disk: DiskPlan = {
      table: 'gpt',
      id: '',
      partitions: [
        { ...part, role: 'bios-boot', number: 1 },
        { ...part, role: 'swap', number: 2, filesystem: 'swap', uuid: 'S' },
        { ...part, role: 'esp', number: 3, filesystem: 'vfat', uuid: 'AAAA-BBBB', mountpoint: '/boot/efi' },
        { ...part, role: 'boot', number: 4, filesystem: 'ext4', uuid: 'B', mountpoint: '/boot' },
        { ...part, role: 'root', number: 5, filesystem: 'ext4', uuid: 'R', mountpoint: '/' },
      ],
    }
    expect(fstab(disk).split('\n').slice(1)).toEqual([
      'UUID=R / ext4 errors=remount-ro 0 1',
      'UUID=B /boot ext4 defaults 0 2',
      'UUID=AAAA-BBBB /boot/efi vfat umask=0077 0 0',
      'UUID=S none swap sw 0 0',
      '',
    ])
  })
})

describe('identity', () => {
  it('is forgotten', async () => {
    const tree = memoryRootfs({
      'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
      'var/lib/dbus/machine-id': 'old',
      'etc/ssh/ssh_host_rsa_key': 'k',
      'etc/ssh/ssh_host_rsa_key.pub': 'k',
      'etc/ssh/sshd_config': 'c',
    })
    await run(identitySteps('x'), tree)
    expect(tree.show('etc/machine-id')).toBe('')
    expect(tree.show('var/lib/dbus/machine-id')).toBe('-> /etc/machine-id')
    expect(await tree.list('etc/ssh')).toEqual(['sshd_config'])
  })
})

describe('SSH host keys', () => {
  it('are made at boot only where there is an sshd', async () => {
    const without = memoryRootfs({})
    await run(sshHostKeySteps('x'), without)
    expect(await without.list('etc/systemd/system')).toEqual([])
    const tree = memoryRootfs({ 'usr/sbin/sshd': '', 'usr/bin/ssh-keygen': '' })
    await run(sshHostKeySteps('x'), tree)
    expect(tree.show('etc/systemd/system/c2m-ssh-host-keys.service')).toContain('Before=ssh.service')
  })
})

describe('time zone and locale', () => {
  it('sets a zone that the machine knows', async () => {
    const tree = memoryRootfs({ 'usr/share/zoneinfo/Europe/Berlin': 'TZif' })
    await run(timezoneSteps('x', 'Europe/Berlin'), tree)
    expect(tree.show('etc/localtime')).toBe('-> /usr/share/zoneinfo/Europe/Berlin')
    expect(tree.show('etc/timezone')).toBe('Europe/Berlin\n')
    await expect(run(timezoneSteps('x', 'Europe/Nowhere'), tree)).rejects.toThrow(/no time zone 'Europe\/Nowhere'/)
  })
  it.each(['../../etc/shadow', '/UTC', 'a b', ''])('refuses %j as a zone', (name) => {
    expect(() => checkTimezone(name)).toThrow(/time zone/)
  })
  it('reads locales', () => {
    expect(parseLocale('de_DE')).toMatchObject({ name: 'de_DE.UTF-8', builtIn: false })
    expect(parseLocale('sr_RS.UTF-8@latin').lines).toEqual(['sr_RS.UTF-8@latin UTF-8', 'sr_RS@latin UTF-8'])
    expect(parseLocale('C.UTF-8').builtIn).toBe(true)
    expect(() => parseLocale('de_DE; rm')).toThrow(/no locale/)
  })
})
