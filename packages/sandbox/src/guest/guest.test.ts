import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Rootfs } from '@c2m/plugin-api'
import { member, treeFrom } from '../testing/tree.js'
import { requireArchitecture } from './architecture.js'
import { proxyVariables } from '../network/upstream.js'
import { guestEnvironment } from './environment.js'
import { placeOf, settle } from './temporary-file.js'

let folder = ''
let base: Rootfs
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-guest-'))
  base = await treeFrom(join(folder, 'base.tar'), [
    member('./'),
    member('usr/'),
    member('usr/sbin/'),
    member('sbin', { type: 'symlink', linkTarget: '/usr/sbin' }),
    member('up', { type: 'symlink', linkTarget: '../../..' }),
    member('loop', { type: 'symlink', linkTarget: 'loop' }),
  ])
})
afterAll(async () => {
  await base[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

describe('a place in the image', () => {
  it("has the image's symlinks resolved, and stays inside", async () => {
    expect(await placeOf(base, '/sbin/policy-rc.d')).toEqual({ directory: 'usr/sbin', name: 'policy-rc.d' })
    expect(await settle(base, '/sbin/new/deep')).toBe('usr/sbin/new/deep')
    expect(await settle(base, '/up/up/etc')).toBe('etc')
    expect(await settle(base, '../../x')).toBe('x')
    expect(await settle(base, '/loop/x')).toBe('loop/x')
  })

  it.each(['/', '', '/etc/a\nb', '..'])('cannot be %j', async (path) => {
    await expect(placeOf(base, path)).rejects.toMatchObject({ code: 'C2M_SANDBOX_PATH', exitCode: 2 })
  })
})

describe('the environment', () => {
  it("holds proxies and the step's own variables, nothing else of the host", () => {
    const host = {
      PATH: '/home/x/bin',
      HOME: '/home/x',
      http_proxy: 'http://p',
      NO_PROXY: 'a,b',
      SSH_AUTH_SOCK: 's',
      https_proxy: '',
    }
    expect(
      guestEnvironment({ env: { DEBIAN_FRONTEND: 'noninteractive', LANG: 'C' } }, 5, proxyVariables(host)),
    ).toEqual({
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      LANG: 'C',
      TERM: 'linux',
      SOURCE_DATE_EPOCH: '5',
      DEBIAN_FRONTEND: 'noninteractive',
      http_proxy: 'http://p',
      NO_PROXY: 'a,b',
    })
  })
})

describe('an architecture', () => {
  it('runs by itself, or with an interpreter that was opened beforehand', async () => {
    const binfmt = join(folder, 'binfmt')
    await mkdir(binfmt)
    if (process.arch === 'x64') await requireArchitecture('amd64', binfmt)
    await writeFile(join(binfmt, 'qemu-s390x'), 'enabled\ninterpreter /usr/bin/qemu-s390x-static\nflags: OCF\n')
    await requireArchitecture('s390x', binfmt)
    await writeFile(join(binfmt, 'qemu-riscv64'), 'enabled\ninterpreter /usr/bin/qemu-riscv64\nflags: OC\n')
    await writeFile(join(binfmt, 'qemu-mips64'), 'disabled\ninterpreter /usr/bin/qemu\nflags: F\n')
    for (const architecture of ['riscv64', 'mips64', 'mystery']) {
      if (architecture === 'riscv64' && process.arch === 'riscv64') continue
      await expect(requireArchitecture(architecture, binfmt)).rejects.toMatchObject({
        code: 'C2M_SANDBOX_ARCHITECTURE',
      })
    }
  })
})
