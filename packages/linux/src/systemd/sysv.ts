import { ConfigurationReader } from '../files/configuration-reader.js'

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
  const block = /^### BEGIN INIT INFO\s*$([\s\S]{0,10000}?)^### END INIT INFO/m.exec(script)?.[1] ?? ''
  const line = block.split('\n').find((one) => one.toLowerCase().startsWith(`# ${field.toLowerCase()}:`))
  return line?.slice(line.indexOf(':') + 1).trim()
}
