import type { NetworkRequest } from '@c2m/plugin-api'
import { usageError } from '@c2m/process'
import { isIP } from 'node:net'

/** 'dhcp', 'none', or 'static:ADDRESS/PREFIX[,ADDRESS/PREFIX…][,gateway=ADDRESS]'. @throws C2M_NETWORK */
export function parseNetwork(text: string): NetworkRequest {
  if (text === 'dhcp' || text === 'none') return { mode: text }
  if (!text.startsWith('static:')) throw wrong(text)
  const addresses: string[] = []
  let gateway: string | undefined
  for (const part of text.slice('static:'.length).split(',')) {
    if (part.startsWith('gateway=')) gateway = part.slice('gateway='.length)
    else addresses.push(part)
  }
  if (gateway !== undefined && isIP(gateway) === 0) throw wrong(text)
  if (addresses.length === 0 || !addresses.every(isNetworkAddress)) throw wrong(text)
  return { mode: 'static', addresses, gateway }
}

function isNetworkAddress(text: string): boolean {
  const [address = '', prefix = '', ...more] = text.split('/')
  const family = isIP(address)
  return more.length === 0 && family !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)
}

function wrong(text: string): Error {
  return usageError(
    'C2M_NETWORK',
    `'${text}' is no network setting`,
    'write dhcp, none, or static:192.0.2.10/24,gateway=192.0.2.1',
  )
}
