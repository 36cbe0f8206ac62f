import { isIP } from 'node:net'

/** '192.0.2.5/24' or '2001:db8::5/64'. @throws when it is no address with a prefix length */
export function checkAddressWithPrefix(text: string): string {
  const [address = '', length = '', ...more] = text.split('/')
  const version = isIP(address)
  const longest = version === 4 ? 32 : 128
  if (
    version === 0 ||
    address.includes('%') ||
    more.length > 0 ||
    !/^\d{1,3}$/.test(length) ||
    Number(length) > longest
  ) {
    throw new Error(`'${text}' is no address with a prefix length; write it like 192.0.2.5/24 or 2001:db8::5/64`)
  }
  return text
}

/** @throws when it is no IPv4 or IPv6 address */
export function checkAddress(text: string): string {
  if (isIP(text) === 0 || text.includes('%'))
    throw new Error(`'${text}' is no IP address; write it like 192.0.2.1 or 2001:db8::1`)
  return text
}

export function isIPv6(text: string): boolean {
  return text.includes(':')
}
