/** Methods of crypt(5) with their prefix; DES and the empty hash are none that anyone should use. */
const METHODS: Readonly<Record<string, string>> = {
  y: 'yescrypt',
  gy: 'gost-yescrypt',
  '7': 'scrypt',
  '6': 'sha512crypt',
  '5': 'sha256crypt',
  '2a': 'bcrypt',
  '2b': 'bcrypt',
  '2x': 'bcrypt',
  '2y': 'bcrypt',
  '1': 'md5crypt',
}

/** The crypt(5) method of a hash, e.g. 'sha512crypt'; undefined when it is none (a plain password, say). */
export function cryptMethod(hash: string): string | undefined {
  const prefix = /^\$([a-z0-9]{1,2})\$[!-9;-~]{8,500}$/.exec(hash)?.[1]
  return prefix === undefined ? undefined : METHODS[prefix]
}

/** @throws when it is no crypt(5) hash; the message does not repeat it, for it may be a password. */
export function checkCryptHash(hash: string): string {
  if (cryptMethod(hash) === undefined) {
    throw new Error(
      'the password hash is not a crypt(5) hash such as $6$… or $y$…; make one with mkpasswd or openssl passwd -6',
    )
  }
  return hash
}
