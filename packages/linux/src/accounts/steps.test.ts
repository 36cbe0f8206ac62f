import { describe, expect, it } from 'vitest'
import type { MachineRequest, StepContext } from '@c2m/plugin-api'
import { memoryRootfs, type MemoryRootfs } from '../testing/memory-rootfs.js'
import { accountSteps } from './steps.js'

const HASH = `$6$salt$${'x'.repeat(86)}`
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHello me@host'
const secret = { reveal: () => HASH, toJSON: () => '[secret]' }
const machine: MachineRequest = {
  hostname: 'box',
  sshKeys: [KEY],
  users: [{ name: 'alice', groups: ['audio'], sudo: true, sshKeys: [KEY] }],
  network: { mode: 'dhcp' },
  dns: [],
  packages: [],
  cmdline: [],
  consoles: [],
}

function image(): MemoryRootfs {
  return memoryRootfs({
    'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
    'etc/shadow': 'root::19000:0:99999:7:::\n',
    'etc/group': 'root:x:0:\nshadow:x:42:\nsudo:x:27:\naudio:x:29:\n',
    'etc/gshadow': '',
    'etc/skel/.profile': 'hello\n',
    'etc/subuid': '',
    'bin/bash': '#!',
    root: undefined,
  })
}

async function run(tree: MemoryRootfs, request: MachineRequest): Promise<{ warnings: string[]; ids: string[] }> {
  const warnings: string[] = []
  const context = { rootfs: tree, warn: (message: string) => warnings.push(message) } as unknown as StepContext
  const steps = accountSteps(request, { owner: 'x', image: image(), sudoGroup: 'sudo', shells: ['/bin/bash'] })
  for (const step of steps) if (step.do === 'custom') await step.run(context)
  return { warnings, ids: steps.map(({ id }) => id) }
}

describe('accountSteps', () => {
  it('makes users with homes, keys, groups and the right owners', async () => {
    const tree = image()
    const { ids } = await run(tree, machine)
    expect(ids).toEqual(['x/accounts', 'x/sudo-without-password'])
    expect(tree.show('etc/passwd')).toContain('alice:x:1000:1000::/home/alice:/bin/bash\n')
    expect(tree.show('etc/group')).toContain('sudo:x:27:alice\n')
    expect(tree.show('etc/group')).toContain('audio:x:29:alice\n')
    expect(tree.show('etc/subuid')).toBe('alice:100000:65536\n')
    expect(tree.show('home/alice/.profile')).toBe('hello\n')
    expect(tree.show('home/alice/.ssh/authorized_keys')).toBe(`${KEY}\n`)
    expect(await tree.stat('home/alice/.ssh/authorized_keys')).toMatchObject({ mode: 0o600, uid: 1000, gid: 1000 })
    expect(await tree.stat('home/alice/.ssh')).toMatchObject({ mode: 0o700, uid: 1000 })
    expect(await tree.stat('root/.ssh/authorized_keys')).toMatchObject({ mode: 0o600, uid: 0 })
  })
  it('locks root, whose empty password in the image anybody knows, and says so', async () => {
    const tree = image()
    const { warnings } = await run(tree, machine)
    expect(tree.show('etc/shadow')).toContain('root:*:19000:')
    expect(warnings).toHaveLength(1)
  })
  it('asks a user with a password for it', async () => {
    const tree = image()
    const users = [{ name: 'bob', groups: [], sudo: true, sshKeys: [], passwordHash: secret }]
    const { ids } = await run(tree, { ...machine, rootPasswordHash: secret, users })
    expect(ids).toEqual(['x/accounts'])
    expect(tree.show('etc/shadow')).toContain(`bob:${HASH}::`)
    expect(tree.show('etc/shadow')).toContain(`root:${HASH}:`)
  })
  it('adds a key once', async () => {
    const tree = image()
    tree.add('root/.ssh/authorized_keys', 'other')
    await run(tree, machine)
    await run(tree, machine)
    expect(tree.show('root/.ssh/authorized_keys')).toBe(`other\n${KEY}\n`)
  })
  it.each([
    ['two lines', `${KEY}\nssh-rsa AAAA`],
    ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    ['anything', 'hello'],
  ])('refuses %s as a key', (_what, key) => {
    const options = { owner: 'x', image: image(), sudoGroup: 'sudo', shells: [] }
    expect(() => accountSteps({ ...machine, sshKeys: [key] }, options)).toThrow(/key/)
  })
})
