import { describe, expect, it } from 'vitest'
import type { NetworkRequest } from '@c2m/plugin-api'
import { hosts } from './hostname.js'
import { interfacesFile } from './ifupdown.js'
import { networkManagerFile } from './network-manager.js'
import { networkdFile } from './networkd.js'

const fixed: NetworkRequest = { mode: 'static', addresses: ['192.0.2.5/24', '2001:db8::5/64'], gateway: '192.0.2.1' }

describe('networkdFile', () => {
  it('asks every Ethernet card for addresses', () => {
    expect(networkdFile({ mode: 'dhcp' }, [])).toBe('[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n')
  })
  it("prefers the user's name servers to the network's", () => {
    expect(networkdFile({ mode: 'dhcp' }, ['1.1.1.1'])).toContain('DNS=1.1.1.1\n\n[DHCP]\nUseDNS=no\n')
  })
  it('takes static addresses', () => {
    expect(networkdFile(fixed, [])).toContain('Address=192.0.2.5/24\nAddress=2001:db8::5/64\nGateway=192.0.2.1\n')
  })
  it.each(['192.0.2.5', '192.0.2.5/33', '192.0.2.5/24\nX=1', 'fe80::1%eth0/64', 'x/24'])('refuses %j', (address) => {
    expect(() => networkdFile({ mode: 'static', addresses: [address] }, [])).toThrow(/no address with a prefix/)
  })
})

describe('the others', () => {
  it('ifupdown gives both families to the first card', () => {
    const text = interfacesFile(fixed, [])
    expect(text).toContain('iface c2m inet static\n    address 192.0.2.5/24\n    gateway 192.0.2.1\n')
    expect(text).toContain('iface c2m inet6 static\n    address 2001:db8::5/64\n')
  })
  it('NetworkManager gets one connection for any card', () => {
    expect(networkManagerFile(fixed, ['9.9.9.9'])).toContain(
      'method=manual\naddress1=192.0.2.5/24\ngateway=192.0.2.1\ndns=9.9.9.9;\n',
    )
  })
})

describe('hosts', () => {
  it("has the machine's own name and keeps the image's other lines", () => {
    const text = hosts('127.0.0.1 localhost\n192.0.2.9 db\n127.0.1.1 old\n', 'box.example.org')
    expect(text).toContain('127.0.1.1\tbox.example.org box\n')
    expect(text).toContain('192.0.2.9 db\n')
    expect(text).not.toContain('old')
  })
  it.each(['', '-a', 'a..b', 'a b', 'a\nb', 'x'.repeat(65)])('refuses the name %j', (name) => {
    expect(() => hosts('', name)).toThrow(/no host name/)
  })
})
