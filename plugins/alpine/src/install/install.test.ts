import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { alpine, image, taskFor } from '../testing/task.js'
import { CLEAN_UP, INSTALL, MAKE_INITRAMFS } from './scripts.js'

describe('install', () => {
  it('does not depend on what two machines of one image do not share', async () => {
    const one = await alpine.install(['b', 'a'], await taskFor('3.19.4', { hostname: 'one' }))
    const two = await alpine.install(['a', 'b', 'a'], await taskFor('3.19.4', { hostname: 'two', dns: ['9.9.9.9'] }))
    expect(JSON.stringify(one)).toBe(JSON.stringify(two))
  })
  it('repairs packages whose service scripts were removed', async () => {
    const database = [
      'P:openrc\nF:etc/init.d\nR:hwdrivers\nR:hostname\n',
      'P:busybox-openrc\nF:etc/init.d\nR:crond\n',
      'P:nginx-doc\nF:usr/share/doc\nR:gone\n',
      'P:bad name\nF:etc/init.d\nR:gone\n',
    ].join('\n')
    const tree = image({ 'lib/apk/db/installed': database, 'etc/init.d/hostname': 'x', 'etc/init.d/crond': 'x' })
    const steps = await alpine.install(['a'], await taskFor('3.19.4', {}, tree))
    expect(steps.find(({ id }) => id === 'alpine/install')).toMatchObject({ env: { C2M_REPAIR: 'openrc' } })
  })
  it('says when a release gets no updates any more', async () => {
    const old = await taskFor('3.9.6')
    await alpine.install(['a'], old)
    expect(old.warnings.join()).toContain('Alpine Linux 3.9 has had no updates since 2020-11-01')
    const edge = await taskFor(undefined)
    await alpine.install(['a'], edge)
    expect(edge.warnings).toEqual([])
  })
  it.each(['-U', '!bash', 'a b', '', '../x.apk', '/x.apk', '$(x)', 'a@', '.virtual', 'a=1;b'])(
    'does not take %j for a package',
    async (name) => {
      await expect(alpine.install([name], await taskFor('3.19.4'))).rejects.toThrow(/no package's name/)
    },
  )
  it.each(['g++', 'cmd:ip', 'so:libc.musl-x86_64.so.1', 'curl=8.5.0-r0', 'curl~8.5', 'curl>=8', 'curl@edge', 'R'])(
    'takes %j',
    async (name) => {
      await expect(alpine.install([name], await taskFor('3.19.4'))).resolves.toBeDefined()
    },
  )
  it.each(Object.entries({ INSTALL, MAKE_INITRAMFS, CLEAN_UP }))('%s is a shell script', (_name, script) => {
    expect(() => execFileSync('sh', ['-n'], { input: script })).not.toThrow()
  })
})
