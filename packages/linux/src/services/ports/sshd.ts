import type { ConfigurationReader } from '../../files/configuration-reader.js'
import { listener, parseListener, type Listener } from '../listener.js'
import { pathFrom, readIncluding } from './included-files.js'

/** sshd_config(5): Port and ListenAddress before any Match; 22 without. */
export async function sshdListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  const ports: number[] = []
  const addresses: string[] = []
  await readIncluding(reader, ['/etc/ssh/sshd_config'], (text) => {
    const included: string[] = []
    for (const line of text.split('\n')) {
      const [, key = '', value = ''] = /^\s*([A-Za-z]+)[\s=]+"?([^"\s]+)/.exec(line) ?? []
      if (/^match$/i.test(key)) break
      if (/^include$/i.test(key)) included.push(pathFrom('/etc/ssh', value))
      if (/^port$/i.test(key)) ports.push(Number(value))
      if (/^listenaddress$/i.test(key)) addresses.push(value)
    }
    return included
  })
  const listening = ports.length === 0 ? [22] : ports
  if (addresses.length === 0) return listening.map((port) => listener(port))
  return addresses.flatMap((address) =>
    /:\d+$/.test(address) && !/^[^[].*:.*:/.test(address)
      ? [parseListener(address)]
      : listening.map((port) => listener(port, 'tcp', address)),
  )
}
