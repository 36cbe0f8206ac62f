import type { ConfigurationReader } from '../files/configuration-reader.js'
import type { Unit } from './catalog.js'
import { parseEnvironment, parseEnvironmentFile } from './environment.js'
import { parseExecLine, type ExecCommand } from './exec-line.js'
import { expandSpecifiers, type SpecifierContext } from './specifiers.js'
import { unitFlag, unitValue } from './unit-file.js'
import { splitWords } from './words.js'

/** [Service] of a unit (systemd.service(5), systemd.exec(5)), as far as a container's process can have it. */
export interface ServiceSettings {
  readonly type: string
  readonly start: readonly ExecCommand[]
  readonly startPre: readonly ExecCommand[]
  readonly remainAfterExit: boolean
  readonly user: string | undefined
  readonly group: string | undefined
  readonly isDynamicUser: boolean
  /** User= applies to ExecStart= only. */
  readonly permissionsStartOnly: boolean
  readonly workingDirectory: string | undefined
  readonly rootDirectory: string | undefined
  readonly environment: ReadonlyMap<string, string>
  readonly killSignal: string | undefined
  readonly directories: readonly ServiceDirectory[]
}

export interface ServiceDirectory {
  readonly path: string
  readonly mode: number
  /** Variable that tells the service. */
  readonly variable: string
}

const DIRECTORIES = [
  { key: 'RuntimeDirectory', base: '/run', variable: 'RUNTIME_DIRECTORY' },
  { key: 'StateDirectory', base: '/var/lib', variable: 'STATE_DIRECTORY' },
  { key: 'CacheDirectory', base: '/var/cache', variable: 'CACHE_DIRECTORY' },
  { key: 'LogsDirectory', base: '/var/log', variable: 'LOGS_DIRECTORY' },
] as const

/** @throws when a line cannot be read or depends on a running machine */
export async function readService(
  unit: Unit,
  reader: ConfigurationReader,
  machine: Omit<SpecifierContext, 'unit' | 'fragment'>,
): Promise<ServiceSettings> {
  const context = { ...machine, unit: unit.name, fragment: unit.path }
  const expand = (text: string) => expandSpecifiers(text, context)
  const value = (key: string) => {
    const text = unitValue(unit.file, 'Service', key)
    return text === undefined ? undefined : expand(text)
  }
  const all = (key: string) => unit.file.get('Service')?.get(key) ?? []
  const commands = (key: string) => all(key).flatMap((line) => parseExecLine(line, expand))
  const start = commands('ExecStart')
  return {
    type: value('Type') ?? (value('BusName') !== undefined ? 'dbus' : start.length === 0 ? 'oneshot' : 'simple'),
    start,
    startPre: commands('ExecStartPre'),
    remainAfterExit: unitFlag(unit.file, 'Service', 'RemainAfterExit'),
    user: value('User'),
    group: value('Group'),
    isDynamicUser: unitFlag(unit.file, 'Service', 'DynamicUser'),
    permissionsStartOnly: unitFlag(unit.file, 'Service', 'PermissionsStartOnly'),
    workingDirectory: value('WorkingDirectory')?.replace(/^-/, ''),
    rootDirectory: value('RootDirectory') ?? value('RootImage'),
    environment: await readEnvironment(all, expand, reader),
    killSignal: value('KillSignal'),
    directories: DIRECTORIES.flatMap(({ key, base, variable }) =>
      all(key)
        .flatMap((line) => splitWords(line).map(({ text }) => expand(text).split(':')[0] ?? ''))
        .filter((name) => isFolderName(name))
        .map((name) => ({
          path: `${base}/${name.replace(/\/+$/, '')}`,
          mode: modeOf(value(`${key}Mode`)) ?? 0o755,
          variable,
        })),
    ),
  }
}

async function readEnvironment(
  all: (key: string) => readonly string[],
  expand: (text: string) => string,
  reader: ConfigurationReader,
): Promise<ReadonlyMap<string, string>> {
  const environment = new Map(all('Environment').flatMap((line) => [...parseEnvironment(line, expand)]))
  for (const line of all('EnvironmentFile')) {
    const pattern = expand(line).replace(/^-/, '')
    for (const path of await reader.matching(pattern)) {
      const variables = parseEnvironmentFile((await reader.text(path)) ?? '')
      for (const [name, content] of variables) environment.set(name, content)
    }
  }
  for (const line of all('UnsetEnvironment')) {
    for (const { text } of splitWords(line)) {
      const [name = '', content] = text.split('=')
      if (content === undefined || environment.get(name) === content) environment.delete(name)
    }
  }
  return environment
}

function isFolderName(name: string): boolean {
  return name !== '' && !name.startsWith('/') && !name.split('/').includes('..') && !/[\u0000-\u001f\u007f]/.test(name)
}

export function modeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-7]{3,5}$/.test(text) ? Number.parseInt(text, 8) & 0o7777 : undefined
}
