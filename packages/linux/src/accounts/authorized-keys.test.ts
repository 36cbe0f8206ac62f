import { describe, expect, it } from 'vitest'
import { isSshKey, sshKeyText, summarizeSshKey } from './authorized-keys.js'

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

// with -l, ssh-keygen prints this fingerprint
it.each([
  ['', ' alice@example', 'alice@example'],
  ['restrict,command="a b" ', '\ttwo words ', 'two words'],
  ['', '', 'no comment'],
])('a public key has the fingerprint that ssh-keygen prints, and its comment', (options, end, comment) => {
  const line = `${options}ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHfVIA4fKvW+cY/mb1TEZnY5JebZfO2P/D6zeC5QCo6L${end}`
  expect(sshKeyText(summarizeSshKey(line))).toBe(
    `SHA256:FBp31YiIGXBv630uF5tog1LMeG2XzC5PvAwfCRHGU08 ${comment} (ssh-ed25519)`,
  )
})
