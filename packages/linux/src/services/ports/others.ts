import type { ConfigurationReader } from '../../files/configuration-reader.js'
import { listener, parseListener, type Listener } from '../listener.js'

/** The values of lines whose first word is one of `keys`, of all files that match. */
async function values(
  reader: ConfigurationReader,
  patterns: readonly string[],
  line: RegExp,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const pattern of patterns) {
    for (const path of await reader.matching(pattern)) {
      for (const one of ((await reader.text(path)) ?? '').split('\n')) {
        const value = line.exec(one)?.[1]
        if (value !== undefined) found.push(value)
      }
    }
  }
  return found
}

export async function haproxyListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  const patterns = ['/etc/haproxy/haproxy.cfg', '/etc/haproxy/conf.d/*.cfg']
  const binds = await values(reader, patterns, /^\s*bind\s+(\S+)/)
  return binds.flatMap((bind) => bind.split(',')).map((bind) => parseListener(bind))
}

export async function memcachedListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  const [port = '11211'] = await values(reader, ['/etc/memcached.conf'], /^\s*(?:-p|--port=?)\s*(\d+)/)
  const [address] = await values(reader, ['/etc/memcached.conf'], /^\s*(?:-l|--listen=?)\s*(\S+)/)
  return [listener(Number(port), 'tcp', address)]
}

export async function mosquittoListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  const files = ['/etc/mosquitto/mosquitto.conf', '/etc/mosquitto/conf.d/*.conf']
  const ports = await values(reader, files, /^\s*(?:listener|port)\s+(\d+)/)
  // since 2.0 a broker without a listener is only for its own machine
  return ports.length === 0 ? [listener(1883, 'tcp', 'localhost')] : ports.map((port) => listener(Number(port)))
}

export async function mongodbListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  const files = ['/etc/mongod.conf', '/etc/mongodb.conf']
  const [port = '27017'] = await values(reader, files, /^\s*port\s*[:=]\s*(\d+)/)
  const [address = 'localhost'] = await values(reader, files, /^\s*(?:bindIp|bind_ip)\s*[:=]\s*(\S+)/)
  const addresses = address.split(',')
  return [listener(Number(port), 'tcp', addresses.find((one) => listener(1, 'tcp', one)?.isLocal === false) ?? address)]
}

export async function tomcatListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  const files = [
    '/etc/tomcat*/server.xml',
    '/var/lib/tomcat*/conf/server.xml',
    '/opt/tomcat*/conf/server.xml',
    '/usr/share/tomcat*/conf/server.xml',
  ]
  const ports: (Listener | undefined)[] = []
  for (const pattern of files) {
    for (const path of await reader.matching(pattern)) {
      const text = ((await reader.text(path)) ?? '').replace(/<!--[\s\S]*?(?:-->|$)/g, '')
      for (const [, attributes = ''] of text.matchAll(/<Connector\b([^>]{0,4000})>/g)) {
        const port = /\bport\s*=\s*"(\d+)"/.exec(attributes)?.[1]
        if (port !== undefined) {
          ports.push(listener(Number(port), 'tcp', /\baddress\s*=\s*"([^"]*)"/.exec(attributes)?.[1]))
        }
      }
    }
  }
  return ports.length > 0 ? ports : [listener(8080)]
}

export async function phpFpmListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  const files = ['/etc/php/*/fpm/pool.d/*.conf', '/etc/php-fpm.d/*.conf', '/etc/php*/php-fpm.d/*.conf']
  return (await values(reader, files, /^\s*listen\s*=\s*(\S+)/)).map((where) => parseListener(where))
}

export async function vsftpdListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  const files = ['/etc/vsftpd.conf', '/etc/vsftpd/vsftpd.conf']
  const [port = '21'] = await values(reader, files, /^\s*listen_port\s*=\s*(\d+)/)
  return [listener(Number(port))]
}

/** Exim's daemon ports, as exim4-config has them; a list between quotes or colons. */
export async function eximListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  const settings = '/etc/exim4/update-exim4.conf.conf'
  const [interfaces] = await values(reader, [settings], /^\s*dc_local_interfaces\s*=\s*'?([^']*)/)
  const addresses = (interfaces ?? '').split(';').map((one) => one.trim())
  const outside = addresses.find((address) => listener(25, 'tcp', address)?.isLocal === false)
  return [listener(25, 'tcp', outside ?? addresses[0])]
}
