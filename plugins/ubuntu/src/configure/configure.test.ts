import { cloudInitSteps } from '@c2m/linux'
import type { MachineRequest, Step, StepContext } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import { memoryRootfs, type MemoryRootfs } from '../../../../packages/linux/src/testing/memory-rootfs.js'
import { taskFor, ubuntu } from '../testing/task.js'
import { minimisedSteps } from './minimised.js'
import { netplanFile } from './netplan.js'
import { snapSteps } from './snaps.js'

async function apply(steps: readonly Step[], rootfs: MemoryRootfs): Promise<void> {
  for (const step of steps) if (step.do === 'custom') await step.run({ rootfs } as unknown as StepContext)
}

const content = (steps: readonly Step[], id: string) => {
  const step = steps.find((one) => one.id === `ubuntu/${id}`)
  return step?.do === 'write' ? step.content : step
}

const steps = async (version: string, machine: Partial<MachineRequest> = {}) =>
  ubuntu.toMachine(await taskFor(version, machine))

describe('netplan', () => {
  it('asks for an address on whatever the card is called', () => {
    expect(netplanFile({ mode: 'dhcp' }, ['192.0.2.1'], { overrides: true })).toBe(`network:
  version: 2
  renderer: networkd
  ethernets:
    c2m-en:
      match:
        name: "en*"
      dhcp4: true
      dhcp6: true
      nameservers:
        addresses:
          - "192.0.2.1"
      dhcp4-overrides:
        use-dns: false
      dhcp6-overrides:
        use-dns: false
    c2m-eth:
      match:
        name: "eth*"
      dhcp4: true
      dhcp6: true
      nameservers:
        addresses:
          - "192.0.2.1"
      dhcp4-overrides:
        use-dns: false
      dhcp6-overrides:
        use-dns: false
`)
  })
  it('has routes that every version understands', () => {
    const network = { mode: 'static', addresses: ['192.0.2.5/24', '2001:db8::5/64'], gateway: '192.0.2.1' } as const
    const text = netplanFile(network, ['2001:db8::1'], { overrides: true })
    expect(text).toContain('addresses:\n        - "192.0.2.5/24"\n        - "2001:db8::5/64"\n      accept-ra: false\n')
    expect(text).toContain('routes:\n        - to: "0.0.0.0/0"\n          via: "192.0.2.1"\n')
    expect(text).not.toContain('overrides')
    expect(netplanFile({ ...network, gateway: '2001:db8::1' }, [], { overrides: true })).toContain('to: "::/0"')
  })
})

describe('network managers', () => {
  it('are by release', async () => {
    expect(content(await steps('24.04'), 'network')).toContain('renderer: networkd')
    expect(content(await steps('17.10', { dns: ['192.0.2.1'] }), 'network')).not.toContain('overrides')
    expect(content(await steps('16.04'), 'network')).toContain('iface eth0 inet dhcp')
    expect(content(await steps('16.04'), 'network-cards')).toContain('/sys/class/net/')
    expect(content(await steps('22.04', { networkManager: 'ifupdown' }), 'network')).toContain('auto /en*=c2m')
    await expect(steps('18.04', { networkManager: 'ifupdown' })).rejects.toThrow(
      /there are netplan, networkd, networkmanager$/,
    )
    await expect(steps('16.04', { networkManager: 'netplan' })).rejects.toThrow(/there are ifupdown, networkd/)
  })
  it('let NetworkManager manage Ethernet cards', async () => {
    const managed = await steps('24.04', { networkManager: 'networkmanager' })
    expect(managed.find(({ id }) => id === 'ubuntu/managed-devices')).toMatchObject({
      path: '/etc/NetworkManager/conf.d/10-globally-managed-devices.conf',
    })
  })
  it("replace the image's netplan files, unless the network is the image's affair", async () => {
    const tree = () => memoryRootfs({ 'etc/netplan/50-cloud-init.yaml': 'x', 'etc/netplan/notes': 'y' })
    const rootfs = tree()
    await apply(
      (await steps('24.04')).filter(({ id }) => id === 'ubuntu/other-netplans'),
      rootfs,
    )
    expect(await rootfs.list('etc/netplan')).toEqual(['notes'])
    const none = await steps('24.04', { network: { mode: 'none' } })
    expect(none.filter(({ id }) => id === 'ubuntu/other-netplans')).toEqual([])
  })
})

describe('a minimised image', () => {
  const MAN = { 'usr/bin/man': '#!/bin/sh\necho "run the \'unminimize\' command"\n' }
  const DIVERSIONS = { 'var/lib/dpkg/diversions': '/a\n/a.b\nx\n/usr/bin/man\n/usr/bin/man.REAL\n:\n' }
  const EXCLUDES = { 'etc/dpkg/dpkg.cfg.d/excludes': 'path-exclude=/usr/share/man/*\n' }

  it('installs documentation again, keeps what unminimize looks for, and says so', async () => {
    const task = await taskFor('24.04')
    const rootfs = memoryRootfs({ ...EXCLUDES, ...MAN, ...DIVERSIONS })
    await apply(await minimisedSteps('ubuntu', { ...task, rootfs }), rootfs)
    expect(task.warnings).toEqual([expect.stringMatching(/minimised.*unminimize \(from the package of that name\)/)])
    expect(await rootfs.list('etc/dpkg/dpkg.cfg.d')).toEqual(['excludes.dpkg-tmp'])
    expect(rootfs.show('usr/bin/man')).toBeUndefined()
    expect(rootfs.show('var/lib/dpkg/diversions')).toBe('/a\n/a.b\nx\n')
  })
  it('keeps a man of its own', async () => {
    const rootfs = memoryRootfs({ ...EXCLUDES, ...DIVERSIONS, 'usr/bin/man': 'ELF' })
    await apply(await minimisedSteps('ubuntu', { ...(await taskFor('24.04')), rootfs }), rootfs)
    expect(rootfs.show('usr/bin/man')).toBe('ELF')
    expect(rootfs.show('var/lib/dpkg/diversions')).toBe(DIVERSIONS['var/lib/dpkg/diversions'])
  })
  it('is not every image', async () => {
    const task = await taskFor('24.04')
    expect(await minimisedSteps('ubuntu', task)).toEqual([])
    expect(task.warnings).toEqual([])
  })
})

describe('snaps', () => {
  const mount = (file: string) => `[Mount]\nWhat=/var/lib/snapd/snaps/${file}\nWhere=/snap/x\n`
  it('whose files are not there are forgotten, others stay', async () => {
    const folder = 'etc/systemd/system'
    const rootfs = memoryRootfs({
      [`${folder}/snap-lxd-29.mount`]: mount('lxd_29.snap'),
      [`${folder}/snap-my\\x2dapp-x1.mount`]: mount('my-app_x1.snap'),
      [`${folder}/snap-core22-7.mount`]: mount('core22_7.snap'),
      [`${folder}/snap-own.mount`]: '[Mount]\nWhat=/dev/sdb\nWhere=/snap/own\n',
      [`${folder}/snap.lxd.daemon.service`]: '[Service]\n',
      [`${folder}/snap.core22.x.service`]: '[Service]\n',
      [`${folder}/multi-user.target.wants/snap-lxd-29.mount`]: `-> /${folder}/snap-lxd-29.mount`,
      [`${folder}/multi-user.target.wants/snap-core22-7.mount`]: `-> /${folder}/snap-core22-7.mount`,
      'var/lib/snapd/snaps/core22_7.snap': 'x',
      'var/lib/snapd/state.json': '{}',
    })
    await apply(snapSteps('ubuntu'), rootfs)
    expect(await rootfs.list(folder)).toEqual([
      'multi-user.target.wants',
      'snap-core22-7.mount',
      'snap-own.mount',
      'snap.core22.x.service',
    ])
    expect(await rootfs.list(`${folder}/multi-user.target.wants`)).toEqual(['snap-core22-7.mount'])
    expect(await rootfs.stat('var/lib/snapd/state.json')).toBeUndefined()
  })
})

describe('cloud-init', () => {
  it('is kept from starting, unless it is asked for', async () => {
    const rootfs = memoryRootfs({ 'usr/bin/cloud-init': '#!', 'var/lib/cloud/instance/x': 'y' })
    const task = { ...(await taskFor('24.04')), rootfs }
    const found = await cloudInitSteps('ubuntu', task)
    await apply(found, rootfs)
    expect(found.at(-1)).toMatchObject({ path: '/etc/cloud/cloud-init.disabled' })
    expect(await rootfs.list('var/lib/cloud')).toEqual([])
    expect(task.warnings.join()).toContain('cloud-init')
    const machine = { ...task.machine, packages: ['cloud-init'] }
    expect(await cloudInitSteps('ubuntu', { ...task, machine })).toEqual([])
    expect(await cloudInitSteps('ubuntu', { ...task, rootfs: memoryRootfs() })).toEqual([])
  })
})
