import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { isRefusedAddress, RefusedDestination, resolveDestination } from './destination.js'

describe('the proxy of the sandbox', () => {
  it.each([
    ...['127.0.0.1', '127.255.0.9', '0.0.0.0', '0.1.2.3', '169.254.169.254', '224.0.0.251', '255.255.255.255'],
    ...['100.100.100.200', '168.63.129.16'],
    ...['::', '::1', 'fe80::1', 'ff02::1', 'fd00:ec2::254'],
    ...[
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::127.0.0.1',
      '::ffff:169.254.169.254',
      '64:ff9b::127.0.0.1',
      '64:ff9b::a9fe:a9fe',
    ],
  ])('refuses %s', async (address) => {
    expect(await isRefusedAddress(address)).toBe(true)
  })

  it.each(['192.0.2.77', '10.1.2.3', '8.8.8.8', '2001:db8::1', 'fd12::1', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
    'lets %s through',
    async (address) => {
      expect(await isRefusedAddress(address)).toBe(false)
    },
  )

  it('refuses the addresses of this host', async () => {
    for (const one of Object.values(networkInterfaces()).flat())
      expect(await isRefusedAddress(one?.address.split('%')[0] ?? '')).toBe(true)
  })

  it.each(['localhost', '127.0.0.1', '[::1]', '0'])('refuses the name %s', async (name) => {
    await expect(resolveDestination(name)).rejects.toBeInstanceOf(RefusedDestination)
  })
})
