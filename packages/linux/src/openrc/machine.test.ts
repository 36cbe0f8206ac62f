import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NetworkRequest, Step, StepContext } from '@c2m/plugin-api'
import { plainInterfacesFile } from '../network/plain-interfaces.js'
import { memoryRootfs, type MemoryRootfs } from '../testing/memory-rootfs.js'
import { growRootServiceSteps } from './grow-root.js'
import { inittab, loginTerminals } from './inittab.js'
import { networkCardsServiceSteps } from './network-cards.js'
import { runlevelStep } from './runlevels.js'
import { verificationServiceSteps } from './verification.js'

const CONSOLES = ['tty0', 'ttyS0,115200n8']

async function run(steps: readonly Step[], rootfs: MemoryRootfs): Promise<void> {
  for (const step of steps) if (step.do === 'custom') await step.run({ rootfs } as unknown as StepContext)
}

describe('inittab', () => {
  const fresh = inittab('', CONSOLES)
  it('is whole where there was none', () => {
    for (const line of [
      '::sysinit:/sbin/openrc sysinit',
      '::wait:/sbin/openrc default',
      '::shutdown:/sbin/openrc shutdown',
    ])
      expect(fresh.split('\n')).toContain(line)
    expect(fresh.match(/^tty[1-6]::respawn:/gm)).toHaveLength(6)
    expect(fresh.match(/^ttyS0::respawn:/gm)).toHaveLength(1)
    expect(fresh).not.toMatch(/^tty0:/m)
  })
  it('does not change when it is made again', () => {
    expect(inittab(fresh, CONSOLES)).toBe(fresh)
  })
  it('gives no terminal two logins, and back what was made a comment', () => {
    const image = [
      '::sysinit:/sbin/openrc sysinit',
      '#tty1::respawn:/sbin/getty 38400 tty1',
      'tty2::respawn:/sbin/getty -n -l /bin/autologin 38400 tty2',
      '#ttyS0::respawn:/sbin/getty -L ttyS0 115200 vt100',
      'ttyS0::respawn:/sbin/getty -L ttyS0 9600 vt100',
      '#ttyS1::respawn:/sbin/getty -L ttyS1 9600 vt100',
      '# mine',
      'x::once:/bin/mine',
      '',
    ].join('\n')
    const lines = inittab(image, CONSOLES).split('\n')
    expect(lines.filter((line) => line.includes('ttyS0:'))).toEqual([
      "ttyS0::respawn:/bin/sh -c 'stty -F /dev/ttyS0 >/dev/null 2>&1 || exec sleep 86400; exec /sbin/getty -L 115200 ttyS0 vt100'",
    ])
    expect(lines.filter((line) => line.includes('tty1:'))).toEqual(['tty1::respawn:/sbin/getty 38400 tty1'])
    for (const line of ['tty2::respawn:/sbin/getty -n -l /bin/autologin 38400 tty2', '# mine', 'x::once:/bin/mine'])
      expect(lines).toContain(line)
    expect(lines).toContain('#ttyS1::respawn:/sbin/getty -L ttyS1 9600 vt100')
  })
  it('takes no console for a terminal that is none', () => {
    expect(inittab('', ["tty';x", 'ttynull', 'hvc0', 'netcon0'])).not.toMatch(/';x|ttynull|netcon/)
    expect(inittab('', ['hvc0'])).toContain('getty -L 0 hvc0')
    expect(loginTerminals(['tty0', 'ttyS0,115200n8'])).toEqual(['ttyS0'])
  })
})

describe('runlevels', () => {
  it('get what is there, by the first of its names, and keep what they have', async () => {
    const tree = memoryRootfs({
      'etc/init.d/urandom': '',
      'etc/init.d/mdev': '',
      'etc/init.d/udev': '',
      'etc/init.d/hostname': '',
      'etc/runlevels/sysinit/mdev': '-> /etc/init.d/mdev',
    })
    await run(
      [runlevelStep('x', { sysinit: [['udev', 'mdev']], boot: [['seedrng', 'urandom'], 'hostname', 'swap'] })],
      tree,
    )
    expect(await tree.list('etc/runlevels/sysinit')).toEqual(['mdev'])
    expect(await tree.list('etc/runlevels/boot')).toEqual(['hostname', 'urandom'])
    expect(tree.show('etc/runlevels/boot/urandom')).toBe('-> /etc/init.d/urandom')
  })
})

describe('plain interfaces', () => {
  it('name the first card, once for each family', () => {
    const network: NetworkRequest = {
      mode: 'static',
      addresses: ['192.0.2.5/23', '2001:db8::5/64', '192.0.2.6/32'],
      gateway: '2001:db8::1',
    }
    expect(plainInterfacesFile(network, [])).toBe(
      [
        'auto lo',
        'iface lo inet loopback',
        '',
        'auto eth0',
        'iface eth0 inet static',
        '\taddress 192.0.2.5',
        '\tnetmask 255.255.254.0',
        '\tup ip address add 192.0.2.6/32 dev $IFACE',
        'iface eth0 inet6 static',
        '\taddress 2001:db8::5',
        '\tnetmask 64',
        '\tgateway 2001:db8::1',
        '',
      ].join('\n'),
    )
  })
  it('are only the loopback one without a network', () => {
    expect(plainInterfacesFile({ mode: 'none' }, [])).toBe('auto lo\niface lo inet loopback\n')
  })
})

describe('scripts', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'c2m-openrc-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  const written = [
    ...growRootServiceSteps('x'),
    ...verificationServiceSteps('x', { waitForAddress: true }),
    ...networkCardsServiceSteps('x', { mode: 'dhcp' }),
  ].flatMap((step) => (step.do === 'write' ? [[step.path, step.content as string] as const] : []))

  it.each(written)('%s is a shell script', (_path, script) => {
    expect(() => execFileSync('sh', ['-n'], { input: script })).not.toThrow()
  })

  const cards: readonly (readonly [NetworkRequest, readonly string[], string])[] = [
    [{ mode: 'dhcp' }, ['eth0'], 'auto eth0\niface eth0 inet dhcp\n'],
    [{ mode: 'dhcp' }, ['ens3'], 'auto ens3\niface ens3 inet dhcp\n'],
    [{ mode: 'dhcp' }, ['eth0', 'eth1'], 'auto eth0\niface eth0 inet dhcp\n\nauto eth1\niface eth1 inet dhcp\n'],
    [{ mode: 'dhcp' }, ['ens3', 'ens4'], 'auto ens3\niface ens3 inet dhcp\n\nauto ens4\niface ens4 inet dhcp\n'],
    [
      { mode: 'static', addresses: ['192.0.2.5/24'] },
      ['enp0s3', 'enp0s4'],
      'auto enp0s3\niface enp0s3 inet static\n\taddress 192.0.2.5\n\tnetmask 255.255.255.0\n',
    ],
    [{ mode: 'dhcp' }, [], 'auto eth0\niface eth0 inet dhcp\n'],
  ]
  it.each(cards)('with %j, the cards %j are found', (network, names, expected) => {
    const file = join(folder, 'interfaces')
    writeFileSync(file, plainInterfacesFile(network, []))
    for (const name of [...names, 'lo', 'wlan0', 'docker0']) {
      const place = join(folder, 'net', name)
      execFileSync('mkdir', ['-p', place])
      writeFileSync(join(place, 'type'), name === 'lo' ? '772\n' : '1\n')
      if (name !== 'docker0' && name !== 'lo') writeFileSync(join(place, 'device'), '')
      if (name === 'wlan0') writeFileSync(join(place, 'phy80211'), '')
    }
    const [step] = networkCardsServiceSteps('x', network)
    const script = (step?.do === 'write' ? (step.content as string) : '')
      .replaceAll('/sys/class/net', join(folder, 'net'))
      .replaceAll('/etc/network/interfaces', file)
    // twice: what is there is left alone
    execFileSync('sh', ['-c', `${script}\nstart\nstart`])
    expect(readFileSync(file, 'utf8')).toBe(`auto lo\niface lo inet loopback\n\n${expected}`)
  })
})
