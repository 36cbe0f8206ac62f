import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/**
 * Where the image's programs never get by the proxy: this host itself, the link that it is on, and what clouds tell
 * their machines (credentials among it). By RFC 6890's registries of special addresses.
 */
const REFUSED: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['100.100.100.200', 32], // metadata service of Alibaba Cloud
  ['168.63.129.16', 32], // wire server of Azure
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::', 32], // metadata service of Amazon
]
/** IPv6 addresses that stand for IPv4 ones: the last 32 bits count (RFC 4291, RFC 6052, RFC 3056 is not among them). */
const EMBEDDING: readonly (readonly [network: string, prefix: number])[] = [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
]

const refused = new BlockList()
for (const [network, prefix] of REFUSED) refused.addSubnet(network, prefix, isIP(network) === 6 ? 'ipv6' : 'ipv4')
const embedding = new BlockList()
for (const [network, prefix] of EMBEDDING) embedding.addSubnet(network, prefix, 'ipv6')

/** Whether the address is this host's, its link's, or its cloud's. */
export function isRefusedAddress(address: string): boolean {
  if (isIP(address) === 4) return refused.check(address, 'ipv4') || isOwn(address)
  if (embedding.check(address, 'ipv6')) return isRefusedAddress(embedded(address))
  return refused.check(address, 'ipv6') || isOwn(address)
}

function isOwn(address: string): boolean {
  const own = new BlockList()
  for (const one of Object.values(networkInterfaces()).flat()) {
    if (one !== undefined) own.addAddress(one.address.split('%')[0] ?? '', one.family === 'IPv6' ? 'ipv6' : 'ipv4')
  }
  return own.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** The IPv4 address in the last 32 bits, e.g. of '::ffff:7f00:1' or '::ffff:127.0.0.1'. */
function embedded(address: string): string {
  const dotted = /((?:\d{1,3}\.){3}\d{1,3})$/.exec(address)
  if (dotted !== null) return dotted[1] ?? ''
  // the parser of URLs writes every address in one way: eight groups, the longest run of zeros as '::'
  const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::')
  const tail = (groups.at(-1) ?? '').split(':')
  const [high = '0', low = '0'] = tail.length >= 2 ? tail.slice(-2) : ['0', tail[0] || '0']
  const bits = Number.parseInt(high, 16) * 65536 + Number.parseInt(low, 16)
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.')
}

/** The name leads to this host. */
export class RefusedDestination extends Error {}

/**
 * An address of the name, the one that is then connected to: what the name means a moment later does not count.
 * @throws RefusedDestination when one of its addresses is refused; what looking it up throws
 */
export async function resolveDestination(host: string): Promise<{ address: string; family: number }> {
  const name = host.replace(/^\[|\]$/g, '')
  const found = await lookup(name, { all: true })
  if (found.some(({ address }) => isRefusedAddress(address))) throw new RefusedDestination(host)
  const [first] = found
  if (first === undefined) throw new Error(`${host} has no address`)
  return first
}
