import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { silentReporter } from '@c2m/process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kernelFlag } from './kernel.js'
import { machineRequest, type MachineFlags } from './machine.js'
import { parseNetwork } from './network.js'
import { parseDuration } from './sandbox.js'
import { parseSize } from './size.js'

describe('sizes', () => {
  it.each([
    ['4096', 4096],
    ['1k', 1024],
    ['512M', 512 * 2 ** 20],
    ['1.5G', 1.5 * 2 ** 30],
    ['2GiB', 2 ** 31],
    ['1T', 2 ** 40],
  ])('%s', (text, bytes) => expect(parseSize(text)).toBe(bytes))
  it.each(['', 'G', '-1', '1X', '1e9', '10 G', '9999999T', '0x10'])('refuses %j', (text) => {
    expect(() => parseSize(text)).toThrow(expect.objectContaining({ code: 'C2M_SIZE', exitCode: 2 }))
  })
})

describe('the kernel', () => {
  it('is a flavour, or a file when there is one or the value is a path', async () => {
    expect(await kernelFlag('cloud')).toEqual({ flavour: 'cloud' })
    expect(await kernelFlag('./none')).toEqual({ file: './none' })
    expect(await kernelFlag('package.json')).toEqual({ file: 'package.json' })
    // a folder is no kernel
    expect(await kernelFlag('packages')).toEqual({ flavour: 'packages' })
    expect(await kernelFlag(undefined)).toEqual({})
  })
})

describe('network settings', () => {
  it('takes static addresses of both families', () => {
    expect(parseNetwork('static:192.0.2.10/24,2001:db8::10/64,gateway=192.0.2.1')).toEqual({
      mode: 'static',
      addresses: ['192.0.2.10/24', '2001:db8::10/64'],
      gateway: '192.0.2.1',
    })
  })
  it.each([
    'wifi',
    'static:',
    'static:192.0.2.10',
    'static:192.0.2.10/33',
    'static:192.0.2.10/24/9',
    'static:gateway=192.0.2.1',
    'static:x/1',
  ])('refuses %j', (text) => expect(() => parseNetwork(text)).toThrow(expect.objectContaining({ code: 'C2M_NETWORK' })))
})

describe('the machine', () => {
  let folder = ''
  const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJl3dIeudNqd0DMROisFwZC9t7Zz1m2dOm3dN2Zt0aXW me@here'
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-flags-'))
    await writeFile(join(folder, 'id.pub'), `# mine\n${KEY}\n`)
    await writeFile(join(folder, 'password'), 'correct horse\n')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  const request = (flags: MachineFlags, warnings: string[] = []) =>
    machineRequest(flags, 'app', { ...silentReporter, warn: (message) => warnings.push(message) })

  it('says when nobody can log in, and only then', async () => {
    const warnings: string[] = []
    expect((await request({}, warnings)).hostname).toBe('app')
    expect(warnings.join()).toContain('nobody can log in')
    warnings.length = 0
    expect((await request({ 'ssh-key': [join(folder, 'id.pub')] }, warnings)).sshKeys).toEqual([KEY])
    expect(warnings).toEqual([])
  })

  it('never shows a password or its hash', async () => {
    const made = await request({ 'root-password-file': join(folder, 'password') })
    expect(made.rootPasswordHash?.reveal()).toMatch(/^\$6\$.{16}\$.{86}$/)
    for (const shown of [JSON.stringify(made), inspect(made, { depth: 9 })]) {
      expect(shown).toContain('[secret]')
      expect(shown).not.toMatch(/\$6\$|correct horse/)
    }
  })

  it('has its first console on the serial port, on metal on the screen, unless it is told', async () => {
    expect((await request({})).consoles).toEqual(['tty0', 'ttyS0,115200n8'])
    expect((await request({ target: 'physical' })).consoles).toEqual(['ttyS0,115200n8', 'tty0'])
    expect((await request({ target: 'physical', console: ['tty0'] })).consoles).toEqual(['tty0'])
    for (const console of ['tty0 init=/bin/sh', 'tty0\tquiet', '', 'ttyS0,115200n8"', 'tty0\nquiet'])
      await expect(request({ console: ['ttyS0,115200n8', console] })).rejects.toMatchObject({ code: 'C2M_FLAG_VALUE' })
  })

  it('never says which passwords were given', async () => {
    const both = { 'root-password-file': '/etc/secret', 'root-password-hash': '$6$salt$hash' }
    await expect(request(both)).rejects.toThrow(/^--root-password-file and --root-password-hash are given$/)
  })

  it('reads users with their groups', async () => {
    const { users } = await request({ user: ['ada:video,sudo', 'bob'] })
    expect(users).toEqual([
      { name: 'ada', groups: ['video'], sudo: true, sshKeys: [] },
      { name: 'bob', groups: [], sudo: false, sshKeys: [] },
    ])
  })

  it.each<[MachineFlags, string]>([
    [{ hostname: '-x' }, 'C2M_HOSTNAME'],
    [{ hostname: 'a'.repeat(65) }, 'C2M_HOSTNAME'],
    [{ dns: ['dns.example'] }, 'C2M_DNS'],
    [{ timezone: '../../etc/shadow' }, 'C2M_FLAG_VALUE'],
    [{ locale: 'de DE' }, 'C2M_FLAG_VALUE'],
    [{ keyboard: 'de nodeadkeys' }, 'C2M_FLAG_VALUE'],
    [{ package: ['-o=Debug'] }, 'C2M_FLAG_VALUE'],
    [{ user: ['Root'] }, 'C2M_FLAG_VALUE'],
    [{ user: ['root'] }, 'C2M_FLAG_VALUE'],
    [{ user: ['ada:video:sudo'] }, 'C2M_FLAG_VALUE'],
    [{ 'root-password': 'x', 'root-password-hash': '$6$a$b' }, 'C2M_FLAG_CONFLICT'],
    [{ 'root-password': '' }, 'C2M_PASSWORD_EMPTY'],
    [{ 'root-password-hash': 'plain' }, 'C2M_PASSWORD_HASH'],
  ])('refuses %j', async (flags, code) => {
    await expect(request(flags)).rejects.toMatchObject({ code, exitCode: 2 })
  })
})

describe('a duration', () => {
  it.each([
    ['90', 90],
    ['90s', 90],
    ['30m', 1800],
    ['2h', 7200],
  ])('%s is %d seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds))
  it.each(['', '0', '0h', '-1', '1.5h', '5x', '1h30m', 'soon'])('cannot be %j', (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'C2M_DURATION', exitCode: 2 }))
  })
})
