import { encrypt } from 'unixcrypt'
import { randomBytes } from 'node:crypto'
import type { Secret } from '@c2m/plugin-api'
import { C2mError, ExitCode } from '@c2m/process'
import { secret } from './secret.js'

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * crypt(5) hash of a password with sha512crypt, which every libc since 2008 understands.
 * @param salt 16 bytes; random when not given
 */
export function hashPassword(password: string, salt: Uint8Array = randomBytes(16)): Secret {
  if (password === '') {
    throw new C2mError('C2M_PASSWORD_EMPTY', 'the password is empty', {
      hint: 'give a password, or none of the password flags: then nobody can log in with one',
      exitCode: ExitCode.usage,
    })
  }
  const text = [...salt].map((byte) => ALPHABET[byte & 63]).join('')
  return secret(encrypt(password, `$6$${text}`))
}

/** @throws C2M_PASSWORD_HASH when it is no crypt(5) hash: a plain password here would end up in /etc/shadow. */
export function checkPasswordHash(hash: string): Secret {
  if (/^\$(?:y|gy|7|6|5|2[abxy]|1)\$[!-9;-~]{8,}$/.test(hash) && !hash.includes(':')) return secret(hash)
  throw new C2mError('C2M_PASSWORD_HASH', 'the given password hash is not a crypt(5) hash such as $6$… or $y$…', {
    hint: 'make one with: mkpasswd, or openssl passwd -6',
    exitCode: ExitCode.usage,
  })
}
