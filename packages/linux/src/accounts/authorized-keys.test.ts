import { describe, expect, it } from 'vitest'
import { isSshKey } from './authorized-keys.js'

/** RFC 4251, 5: a length, then that many bytes. */
function key(type: string, inside = type): string {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(inside.length)
  return `${type} ${Buffer.concat([length, Buffer.from(inside), Buffer.alloc(40, 7)]).toString('base64')}`
}

describe('a line of authorized_keys', () => {
  it.each([
    key('ssh-ed25519'),
    `${key('ssh-rsa')} a comment`,
    key('sk-ssh-ed25519@openssh.com'),
    `restrict,pty ${key('ssh-ed25519')}`,
    `from="10.0.0.0/8,*.example",command="echo \\"a b\\"" ${key('ecdsa-sha2-nistp256')}`,
    `no-X11-forwarding ${key('ssh-ed25519')}\r`,
  ])('is %s', (line) => expect(isSshKey(line)).toBe(true))

  it.each([
    `github.com ${key('ssh-ed25519')}`,
    `server ${key('ssh-ed25519')}`,
    '|1|abc=|def= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA',
    'ssh-ed25519 hello',
    key('ssh-ed25519', 'ssh-rsa'),
    'ssh-ed25519 AAAA',
    '',
  ])('is not %s', (line) => expect(isSshKey(line)).toBe(false))
})
