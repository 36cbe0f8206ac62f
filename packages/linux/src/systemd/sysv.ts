import type { ConfigurationReader } from '../files/configuration-reader.js'

/** Characters at a script's beginning in which its comment block is. */
const LONGEST_HEAD = 64 * 1024

export interface SysvService {
  readonly name: string
  /** Path of the script, relative. */
  readonly script: string
}

/** Scripts that a link in one of the runlevels 2 to 5 starts (init-d of the Linux Standard Base, 22). */
export async function sysvServices(reader: ConfigurationReader): Promise<readonly SysvService[]> {
  const enabled = new Set<string>()
  for (const level of [2, 3, 4, 5]) {
    for (const folder of [`etc/rc${level}.d`, `etc/rc.d/rc${level}.d`]) {
      for (const link of await reader.list(folder)) {
        const name = /^S\d\d([A-Za-z0-9:_.-]+)$/.exec(link)?.[1]
        if (name !== undefined) enabled.add(name)
      }
    }
  }
  const services: SysvService[] = []
  for (const name of [...enabled].sort()) {
    for (const script of [`etc/init.d/${name}`, `etc/rc.d/init.d/${name}`]) {
      if ((await reader.type(script)) !== 'file') continue
      services.push({ name, script })
      break
    }
  }
  return services
}

/** A field of the LSB comment block of a script. */
export function lsbField(script: string, field: string): string | undefined {
  const head = script.slice(0, LONGEST_HEAD)
  const start = head.indexOf('### BEGIN INIT INFO')
  const end = head.indexOf('### END INIT INFO', Math.max(0, start))
  const line = head
    .slice(Math.max(0, start), Math.max(0, end))
    .split('\n')
    .find((one) => one.toLowerCase().startsWith(`# ${field.toLowerCase()}:`))
  return line?.slice(line.indexOf(':') + 1).trim()
}
