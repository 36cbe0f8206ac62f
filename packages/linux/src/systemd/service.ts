import type { ConfigurationReader } from '../files/configuration-reader.js'
import { isSecretName } from '../secrets/names.js'
import { secretAt } from '../secrets/secrets.js'
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
  readonly supplementaryGroups: readonly string[]
  readonly isDynamicUser: boolean
  /** User= applies to ExecStart= only. */
  readonly permissionsStartOnly: boolean
  readonly workingDirectory: string | undefined
  readonly rootDirectory: string | undefined
  readonly environment: ReadonlyMap<string, string>
  /** Variables of the environment that are secrets, by their names or since a file that is one has them. */
  readonly secrets: ReadonlySet<string>
  /** Those of them that the unit or a file that is no secret sets. */
  readonly secretsInFiles: ReadonlySet<string>
  readonly killSignal: string | undefined
  readonly directories: readonly ServiceDirectory[]
}

export interface ServiceDirectory {
  readonly path: string
  /** Where it lies for a dynamic user (systemd.exec(5), DynamicUser=), when that is elsewhere: `path` is then a link to it. */
  readonly privatePath: string | undefined
  readonly mode: number
  /** Variable that tells the service. */
  readonly variable: string
}

const DIRECTORIES = [
  { key: 'RuntimeDirectory', base: '/run', variable: 'RUNTIME_DIRECTORY', hasPrivate: false },
  { key: 'StateDirectory', base: '/var/lib', variable: 'STATE_DIRECTORY', hasPrivate: true },
  { key: 'CacheDirectory', base: '/var/cache', variable: 'CACHE_DIRECTORY', hasPrivate: true },
  { key: 'LogsDirectory', base: '/var/log', variable: 'LOGS_DIRECTORY', hasPrivate: true },
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
    supplementaryGroups: all('SupplementaryGroups').flatMap((line) => expand(line).split(/\s+/).filter(Boolean)),
    isDynamicUser: unitFlag(unit.file, 'Service', 'DynamicUser'),
    permissionsStartOnly: unitFlag(unit.file, 'Service', 'PermissionsStartOnly'),
    workingDirectory: value('WorkingDirectory')?.replace(/^-/, ''),
    rootDirectory: value('RootDirectory') ?? value('RootImage'),
    ...(await readEnvironment(all, expand, reader)),
    killSignal: value('KillSignal'),
    directories: DIRECTORIES.flatMap(({ key, base, variable, hasPrivate }) =>
      all(key)
        .flatMap((line) => splitWords(line).map(({ text }) => expand(text).split(':')[0] ?? ''))
        .filter((name) => isFolderName(name))
        .map((name) => name.replace(/(?<!\/)\/+$/, ''))
        .map((name) => ({
          path: `${base}/${name}`,
          privatePath: hasPrivate ? `${base}/private/${name}` : undefined,
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
): Promise<Pick<ServiceSettings, 'environment' | 'secrets' | 'secretsInFiles'>> {
  const environment = new Map(all('Environment').flatMap((line) => [...parseEnvironment(line, expand)]))
  const ofSecretFiles = new Set<string>()
  for (const line of all('EnvironmentFile')) {
    const pattern = expand(line).replace(/^-/, '')
    for (const path of await reader.matching(pattern)) {
      const variables = parseEnvironmentFile((await reader.text(path)) ?? '')
      const isSecret = variables.size > 0 && (await secretAt(reader.rootfs, path)) !== undefined
      for (const [name, content] of variables) {
        environment.set(name, content)
        // the last file that sets it counts
        if (isSecret) ofSecretFiles.add(name)
        else ofSecretFiles.delete(name)
      }
    }
  }
  for (const line of all('UnsetEnvironment')) {
    for (const { text } of splitWords(line)) {
      const [name = '', content] = text.split('=')
      if (content === undefined || environment.get(name) === content) environment.delete(name)
    }
  }
  const secrets = [...environment.keys()].filter((name) => ofSecretFiles.has(name) || isSecretName(name))
  const inFiles = secrets.filter((name) => !ofSecretFiles.has(name))
  return { environment, secrets: new Set(secrets), secretsInFiles: new Set(inFiles) }
}

function isFolderName(name: string): boolean {
  return name !== '' && !name.startsWith('/') && !name.split('/').includes('..') && !/[\u0000-\u001f\u007f]/.test(name)
}

export function modeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-7]{3,5}$/.test(text) ? Number.parseInt(text, 8) & 0o7777 : undefined
}
