import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { BlockList, connect, isIP, type Socket } from 'node:net'
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
/** IPv6 addresses that stand for IPv4 ones in their last 32 bits (RFC 4291, section 2.5.5; RFC 6052, section 2.1). */
const EMBEDDING: readonly (readonly [network: string, prefix: number])[] = [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
]

const refused = new BlockList()
for (const [network, prefix] of REFUSED) refused.addSubnet(network, prefix, familyOf(network))
const embedding = new BlockList()
for (const [network, prefix] of EMBEDDING) embedding.addSubnet(network, prefix, 'ipv6')

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}

/** Whether the address is this host's, its link's, or its cloud's. */
export async function isRefusedAddress(address: string): Promise<boolean> {
  const family = familyOf(address)
  if (family === 'ipv6' && embedding.check(address, family)) return isRefusedAddress(embedded(address))
  return refused.check(address, family) || ownAddresses().check(address, family) || (await isLocal(address))
}

/** Of all interfaces, those without a carrier too, which Node does not list. */
function ownAddresses(): BlockList {
  const own = new BlockList()
  const add = (address: string) => isIP(address) !== 0 && own.addAddress(address, familyOf(address))
  for (const one of Object.values(networkInterfaces()).flat()) add(one?.address.split('%')[0] ?? '')
  // an address, and in the line below it what it is
  const lines = textOf('/proc/net/fib_trie').split('\n')
  lines.forEach((line, index) => {
    if (line.includes(' LOCAL')) add(lines[index - 1]?.trim().split(' ').at(-1) ?? '')
  })
  for (const line of textOf('/proc/net/if_inet6').split('\n')) {
    const [digits = ''] = line.split(' ')
    if (digits.length === 32) add(digits.match(/.{4}/g)?.join(':') ?? '')
  }
  return own
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

/** Whether the kernel would deliver it to this host, e.g. by a route of type local: then its own address is that very one. */
async function isLocal(address: string): Promise<boolean> {
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4')
  try {
    socket.connect(9, address) // nothing is sent
    await once(socket, 'connect')
    return socket.address().address === address
  } catch {
    return false // there is no way to it
  } finally {
    socket.close()
  }
}

/** The IPv4 address in the last 32 bits, e.g. of '::ffff:7f00:1' or '::ffff:127.0.0.1'. */
function embedded(address: string): string {
  const last = address.slice(address.lastIndexOf(':') + 1)
  if (last.includes('.')) return last
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
 * The addresses of a name; what it means a moment later does not count.
 * @throws RefusedDestination when one of them is refused; what looking it up throws
 */
export async function resolveDestination(host: string): Promise<readonly string[]> {
  const found = await lookup(host.replace(/^\[|\]$/g, ''), { all: true })
  for (const { address } of found) if (await isRefusedAddress(address)) throw new RefusedDestination(host)
  return found.map(({ address }) => address)
}

/** Milliseconds for one address. */
const CONNECT_TIMEOUT = 20_000

/**
 * A connection to the first of a name's addresses that answers.
 * @throws RefusedDestination, system errors, what `signal` aborts with
 */
export async function connectTo(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  let failure: unknown = new Error(`${host} has no address`)
  for (const address of await resolveDestination(host)) {
    const socket = connect({ host: address, port, signal })
    const timer = setTimeout(() => socket.destroy(new Error(`${address} does not answer`)), CONNECT_TIMEOUT)
    try {
      await once(socket, 'connect')
      if (socket.localAddress === socket.remoteAddress) throw new RefusedDestination(host)
      return socket
    } catch (error) {
      socket.destroy()
      if (error instanceof RefusedDestination || signal.aborted) throw error
      failure = error
    } finally {
      clearTimeout(timer)
    }
  }
  throw failure
}
