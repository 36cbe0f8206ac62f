import { configure } from '@c2m/core'
import type { DistroPlugin, MachineRequest } from '@c2m/plugin-api'
import { machineTask, readFileOf, stepContext, treeOf } from '@c2m/testkit'
import { describe, expect, it } from 'vitest'
import { plugin } from './index.js'

const busybox = plugin.contributes[0] as DistroPlugin

/** The machine's tree, and what was warned of. */
async function made(machine: Partial<MachineRequest>) {
  const tree = await treeOf({ 'bin/busybox': 'ELF', 'etc/shadow': 'root:x:::::::\nann:*:::::::\n' })
  const task = await machineTask(busybox, tree, { machine })
  await configure(await busybox.toMachine(task), stepContext(tree, task.disk))
  const text = async (path: string) => (await readFileOf(tree, path)).toString()
  return { text, warnings: task.warnings.join('\n') }
}

describe('a BusyBox machine', () => {
  it('gets its address by DHCP, and has a login on each console', async () => {
    const { text } = await made({ hostname: 'tiny' })
    expect(await text('etc/network/interfaces')).toContain('iface eth0 inet dhcp\n\thostname tiny\n')
    expect(await text('etc/inittab')).toContain('::respawn:/etc/init.d/login ttyS0 115200\n')
    expect(await text('etc/fstab')).toMatch(/^UUID=\S+ \/ ext4 defaults 0 0\n$/)
    expect(await text('etc/shadow')).toBe('root:*:1:0:99999:7:::\nann:*:::::::\n')
  })
  it('takes one static address', async () => {
    const network = { mode: 'static', addresses: ['192.0.2.7/25'], gateway: '192.0.2.1' } as const
    const { text } = await made({ network, dns: ['192.0.2.53'] })
    expect(await text('etc/network/interfaces')).toContain('netmask 255.255.255.128\n\tgateway 192.0.2.1\n')
    expect(await text('etc/resolv.conf')).toBe('nameserver 192.0.2.53\n')
    expect(await text('usr/share/udhcpc/default.script')).not.toContain('resolv.conf')
    await expect(made({ network: { ...network, addresses: ['2001:db8::7/64'] } })).rejects.toThrow('one static IPv4')
  })
  it('says what it cannot have', async () => {
    const key = 'ssh-ed25519 AAAA'
    expect((await made({ sshKeys: [key], timezone: 'UTC' })).warnings).toMatch(
      /no ssh server[^]*--timezone is not used/,
    )
    await expect(made({ users: [{ name: 'ann', groups: [], sudo: false, sshKeys: [] }] })).rejects.toThrow('--user')
    const task = await machineTask(busybox, await treeOf({ 'bin/busybox': 'ELF' }))
    expect(() => busybox.install(['curl'], task)).toThrow('no package manager that could install curl')
  })
})
