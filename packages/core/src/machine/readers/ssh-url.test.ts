import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSshUrl } from './ssh-url.js'

describe('parseSshUrl', () => {
  it.each([
    ['ssh://server', { host: 'server', path: '/' }],
    ['ssh://admin@old-server:2222', { host: 'old-server', user: 'admin', port: 2222, path: '/' }],
    ['ssh://Alias_1/srv/ch%20root', { host: 'Alias_1', path: '/srv/ch root' }],
    ['ssh://me@[fe80::1%eth0]:22/', { host: 'fe80::1%eth0', user: 'me', port: 22, path: '/' }],
    ['ssh://DOMAIN%5Cme@10.0.0.1', { host: '10.0.0.1', user: 'DOMAIN\\me', path: '/' }],
    ['ssh://a/b@-h', { host: 'a', path: '/b@-h' }],
    ['ssh://me%40corp@h', { host: 'h', user: 'me@corp', path: '/' }],
  ])('reads %s', (url, target) => {
    expect(parseSshUrl(url)).toEqual(target)
  })

  it.each([
    'ssh://',
    'ssh:///path',
    'ssh://-oProxyCommand=id',
    'ssh://-l@host',
    'ssh://@host',
    'ssh://[-x]',
    'ssh://h:0',
    'ssh://h:',
    'ssh://h:65536',
    'ssh://h:22x',
    'ssh://h ost',
    'ssh://h\nost',
    'ssh://h/%',
    'ssh://h/%00',
    'ssh://$(id)@h',
  ])('refuses %j', (url) => {
    expect(() => parseSshUrl(url)).toThrow(expect.objectContaining({ code: 'C2M_SSH_URL', exitCode: 2 }))
  })

  it('does not repeat a password', () => {
    expect(() => parseSshUrl('ssh://me:geheim@host')).toThrow(/^an ssh address holds no password$/)
  })

  it('never gives ssh a word that begins with a dash', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), (text) => {
        try {
          const { host, user = '' } = parseSshUrl(`ssh://${text}`)
          expect(host).toMatch(/^[^-]/)
          expect(user).not.toMatch(/^-/)
        } catch (error) {
          expect(error).toMatchObject({ code: 'C2M_SSH_URL' })
        }
      }),
    )
  })
})
