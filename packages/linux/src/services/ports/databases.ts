import type { ConfigurationReader } from '../../files/configuration-reader.js'
import { isLoopback, listener, type Listener } from '../listener.js'
import { pathFrom, readIncluding } from './included-files.js'

/** runtime-config-connection: port and listen_addresses, 'localhost' unless set. */
export async function postgresqlListeners(
  reader: ConfigurationReader,
  cluster: string | undefined,
): Promise<readonly (Listener | undefined)[]> {
  const [, version, name] = /^([0-9.]+)-(.+)$/.exec(cluster ?? '') ?? []
  const files =
    version === undefined
      ? [
          '/etc/postgresql/*/*/postgresql.conf',
          '/var/lib/pgsql/data/postgresql.conf',
          '/var/lib/pgsql/*/data/postgresql.conf',
        ]
      : [`/etc/postgresql/${version}/${name}/postgresql.conf`]
  const found: (Listener | undefined)[] = []
  for (const pattern of files) {
    for (const path of await reader.matching(pattern)) {
      const text = (await reader.text(path)) ?? ''
      const value = (key: string) =>
        [...text.matchAll(new RegExp(`^[ \\t]*${key}[ \\t=]+'?([^'#\\n]*)`, 'gm'))].at(-1)?.[1]?.trim()
      const addresses = (value('listen_addresses') ?? 'localhost').split(',').map((address) => address.trim())
      const outside = addresses.find((address) => address !== '' && !isLoopback(address))
      if (addresses.some((address) => address !== '')) {
        found.push(listener(Number(value('port') ?? 5432), 'tcp', outside ?? 'localhost'))
      }
    }
  }
  return found.length > 0 ? found : [listener(5432)]
}

/** MySQL's option files: port and bind-address of the server's groups, 3306 unless set. */
export async function mysqlListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  const options = new Map<string, string>()
  await readIncluding(reader, ['/etc/my.cnf', '/etc/mysql/my.cnf'], (text) => {
    const included: string[] = []
    let isServers = false
    for (const line of text.split('\n').map((one) => one.trim())) {
      const group = /^\[([^\]]*)\]/.exec(line)?.[1]
      if (group !== undefined) isServers = /^(?:mysqld|server|mariadb)/.test(group)
      const [, kind, path = ''] = /^!(include|includedir)\s+(\S+)/.exec(line) ?? []
      if (kind !== undefined)
        included.push(kind === 'include' ? pathFrom('/etc', path) : `${pathFrom('/etc', path)}/*.cnf`)
      const [, key = '', value = ''] = /^([a-z_-]+)\s*=\s*"?([^"#\s]+)/.exec(line) ?? []
      if (isServers && key !== '') options.set(key.replaceAll('_', '-'), value)
      if (isServers && /^skip[-_]networking/.test(line)) options.set('skip-networking', '1')
    }
    return included
  })
  if (/^(?:1|on)$/i.test(options.get('skip-networking') ?? '')) return []
  return [listener(Number(options.get('port') ?? 3306), 'tcp', options.get('bind-address'))]
}

/** redis.conf: port (0 is none), tls-port, bind; also for its successor valkey. */
export async function redisListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  let port = '6379'
  let tlsPort = '0'
  let addresses: readonly string[] = []
  const first = ['/etc/redis/redis.conf', '/etc/redis.conf', '/etc/valkey/valkey.conf']
  await readIncluding(reader, first, (text) => {
    const included: string[] = []
    for (const line of text.split('\n')) {
      const [key = '', ...values] = line.trim().split(/\s+/)
      if (key === 'port') port = values[0] ?? port
      if (key === 'tls-port') tlsPort = values[0] ?? tlsPort
      if (key === 'bind') addresses = values
      if (key === 'include' && values[0] !== undefined) included.push(pathFrom('/etc/redis', values[0]))
    }
    return included
  })
  const outside = addresses.find((address) => !isLoopback(address)) ?? addresses[0]
  return [listener(Number(port), 'tcp', outside), listener(Number(tlsPort), 'tcp', outside)]
}
