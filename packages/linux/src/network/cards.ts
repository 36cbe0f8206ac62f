import type { NetworkRequest } from '@c2m/plugin-api'
import { checkAddress, checkAddressWithPrefix } from './address.js'

/**
 * Names of Ethernet cards whatever the machine: the kernel's (eth0) and udev's (ens3, enp0s3, eno1, enx…); not the
 * veth, br and docker ones that containers in the machine will make.
 */
export const CARD_NAMES = ['en*', 'eth*']

/** @throws when an address, the gateway or a name server is none */
export function checkNetwork(network: NetworkRequest, dns: readonly string[]): void {
  dns.forEach(checkAddress)
  if (network.mode !== 'static') return
  if (network.addresses.length === 0) throw new Error('a static network needs an address such as 192.0.2.5/24')
  network.addresses.forEach(checkAddressWithPrefix)
  if (network.gateway !== undefined) checkAddress(network.gateway)
}
