import type { ContainerProcess } from '@c2m/plugin-api'
import type { ConfigurationReader } from '../files/configuration-reader.js'
import { baseName, relativePath } from '../files/paths.js'
import { withNames, withoutPlaces } from '../files/run-time-variables.js'
import type { UnitCatalog } from '../systemd/catalog.js'
import { type Unit } from '../systemd/catalog.js'
import { substituteVariables, type ExecCommand } from '../systemd/exec-line.js'
import { readService, type ServiceSettings } from '../systemd/service.js'
import type { SpecifierContext } from '../systemd/specifiers.js'
import { unitNameParts } from '../systemd/unit-name.js'
import { Accounts, DYNAMIC_ID } from './accounts.js'
import { containerDirectories, directoriesMadeBy, temporaryDirectories } from './directories.js'
import { entrypointWith, isConfigurationCheck, type CommandBefore } from './entrypoint.js'
import type { Foreground, NeededDirectory } from './foreground/form.js'
import { foregroundForm } from './foreground/forms.js'
import { serviceStem } from './known-services.js'
import { namesLeftOut, warnOfSecrets, withoutSecrets, type SecretVariables } from './secret-variables.js'

export interface ServiceMachine {
  readonly reader: ConfigurationReader
  readonly catalog: UnitCatalog
  readonly specifiers: Omit<SpecifierContext, 'unit' | 'fragment'>
  /** Variables that are secrets stay out of the process. */
  readonly excludeSecrets: boolean
}

/**
 * A systemd service as a container's only process.
 * @throws when it cannot be one: no such unit, no program, a program that goes to the background and is not known
 */
export async function systemdProcess(machine: ServiceMachine, name: string): Promise<ContainerProcess> {
  const full = /\.[a-z]+$/.test(name) && !/\.sh$/.test(name) ? name : `${name}.service`
  try {
    if (!full.endsWith('.service')) throw new Error('only services have a process')
    const unit = await machine.catalog.find(full)
    if (unit === 'masked') throw new Error('it is masked: its administrator has forbidden that it starts')
    if (unit !== undefined) return await processOf(machine, unit)
    return await scriptProcess(machine, full)
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    throw new Error(`the service ${JSON.stringify(full.slice(0, 100))} cannot be a container's process: ${because}`, {
      cause: error,
    })
  }
}

async function scriptProcess(machine: ServiceMachine, name: string): Promise<ContainerProcess> {
  const stem = serviceStem(name)
  const script = `/etc/init.d/${stem}`
  if (!/^[\w.+-]+$/.test(stem) || !(await machine.reader.exists(script)))
    throw new Error('the machine has no such unit')
  const start = { argv: [script], env: new Map(), instance: undefined, forks: true, reader: machine.reader }
  const form = await foregroundForm(name, start)
  if (form !== undefined && form.argv[0] !== script) return assemble(machine, { name, form, settings: undefined })
  throw new Error(
    `it is a SysV script, ${script}, whose program goes to the background; give the image an entry point that runs it in the foreground, or take another init`,
  )
}

async function processOf(machine: ServiceMachine, unit: Unit): Promise<ContainerProcess> {
  const settings = await readService(unit, machine.reader, machine.specifiers)
  if (unitNameParts(unit.name).instance === '') throw new Error('it is a template; name an instance of it')
  if (settings.start.length === 0) throw new Error('it has no ExecStart=')
  if (settings.rootDirectory !== undefined) throw new Error('it runs in a root directory of its own (RootDirectory=)')
  const secrets = {
    names: settings.secrets,
    stayInFiles: settings.secretsInFiles,
    areLeftOut: machine.excludeSecrets,
  }
  const variables = withoutSecrets(settings.environment, secrets)
  for (const { variable, path } of settings.directories) {
    variables.set(variable, variables.has(variable) ? `${variables.get(variable)}:${path}` : path)
  }
  const commands = settings.start.map((command) => ({
    ...command,
    argv: substituteVariables(command, variables, namesLeftOut(secrets)),
  }))
  const main = commands.at(-1)!
  const start = {
    argv: main.argv,
    env: variables,
    instance: unitNameParts(unit.name).instance,
    forks: settings.type === 'forking',
    reader: machine.reader,
  }
  const form = await foregroundForm(unit.name, start)
  if (form === undefined) checkStays(settings, main)
  return assemble(machine, {
    name: unit.name,
    form: form ?? { argv: main.argv },
    settings: { ...settings, environment: variables },
    secrets,
    first: commands.slice(0, -1),
    asRoot: main.asRoot,
  })
}

function checkStays(settings: ServiceSettings, { argv }: ExecCommand): void {
  const program = argv[0] ?? ''
  if (settings.type === 'forking') {
    throw new Error(
      `its program ${program} goes to the background (Type=forking) and its foreground form is not known; add a drop-in with Type=simple and an ExecStart= that stays in the foreground`,
    )
  }
  if (settings.type === 'oneshot' && (settings.remainAfterExit || /^(?:true|:)$/.test(baseName(program)))) {
    throw new Error('it does something at boot and ends (Type=oneshot); name the service that it prepares for')
  }
}

/** Commands before the start of a service: each is looked at together with what those before it made. */
const MOST_COMMANDS = 500

interface Parts {
  readonly name: string
  readonly form: Foreground
  readonly settings: ServiceSettings | undefined
  readonly secrets?: SecretVariables
  /** Commands of a oneshot before its last. */
  readonly first?: readonly ExecCommand[]
  readonly asRoot?: boolean
}

async function assemble(machine: ServiceMachine, parts: Parts): Promise<ContainerProcess> {
  const { reader } = machine
  const { form, settings, name } = parts
  const accounts = await Accounts.read(reader)
  const program = form.argv[0] ?? ''
  if (program.startsWith('/') && (await reader.type(program)) !== 'file') {
    throw new Error(`its program ${program} is not in the machine`)
  }
  const dynamic = await dynamicIds(reader, settings)
  const user = userOf(parts, accounts, dynamic)
  warnOfGroups(reader, parts, user, accounts)
  const needed = [
    ...(form.directories ?? []),
    ...(await temporaryDirectories(reader, {
      names: [serviceStem(name), baseName(program)],
      user: user?.split(':')[0],
    })),
    ...(settings?.directories ?? []).map(({ path, mode }) =>
      withOwner({ path, mode }, userOf(parts, accounts, dynamic, true)),
    ),
  ]
  const { before, made } = commandsBefore(machine, parts, user, needed)
  const env = { ...Object.fromEntries(settings?.environment ?? []), ...form.env }
  const hasShell = await reader.exists('/bin/sh')
  if (parts.secrets !== undefined) {
    warnOfSecrets(reader, name, parts.secrets, [...before.map(({ argv }) => argv), form.argv], hasShell)
  }
  if (before.length > 0 && !hasShell)
    reader.warn(`${name}: commands before its start are left out, for there is no /bin/sh`)
  const directories = containerDirectories([...needed, ...made], accounts)
  const stopSignal = form.stopSignal ?? signalOf(settings?.killSignal)
  const workingDir = workingDirOf(settings, user, accounts)
  return {
    entrypoint: hasShell ? entrypointWith(before, form.argv) : withoutPlaces(form.argv),
    ...(user === undefined ? {} : { user }),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...(stopSignal === undefined ? {} : { stopSignal }),
    ...(directories.length === 0 ? {} : { directories }),
  }
}

/**
 * @param dynamic of DynamicUser=, 'UID:GID'
 * @param asUnit also where the command itself is root's, by a prefix
 */
function userOf(
  { form, settings, asRoot = false }: Parts,
  accounts: Accounts,
  dynamic: string,
  asUnit = false,
): string | undefined {
  if (settings === undefined || (settings.user ?? '') === '') {
    if (form.user !== undefined) return form.user
    if (settings === undefined) return undefined
  }
  if (asRoot && !asUnit) return undefined
  const { user, group } = settings
  if (user === undefined || user === '') {
    if (settings.isDynamicUser) return dynamic
    return group === undefined || group === 'root' ? undefined : `root:${group}`
  }
  if (accounts.user(user) === undefined) {
    if (settings.isDynamicUser) return dynamic
    throw new Error(`/etc/passwd has no user ${JSON.stringify(user.slice(0, 60))}`)
  }
  if (group !== undefined && group !== '' && accounts.gid(group) === undefined) {
    throw new Error(`/etc/group has no group ${JSON.stringify(group.slice(0, 60))}`)
  }
  const both = accounts.imageUser(user, group)
  return both === 'root' ? undefined : both
}

/** Data that is there keeps its owner, so the process is who last ran as the dynamic user. */
async function dynamicIds(reader: ConfigurationReader, settings: ServiceSettings | undefined): Promise<string> {
  for (const { privatePath } of settings?.isDynamicUser === true ? settings.directories : []) {
    const entry = privatePath === undefined ? undefined : await reader.rootfs.stat(relativePath(privatePath))
    if (entry?.type === 'directory' && entry.uid !== 0) return `${entry.uid}:${entry.gid}`
  }
  return `${DYNAMIC_ID}:${DYNAMIC_ID}`
}

/** systemd.exec(5), SupplementaryGroups=: an image's configuration names one group only. */
function warnOfGroups(
  reader: ConfigurationReader,
  { name, settings }: Parts,
  user: string | undefined,
  accounts: Accounts,
): void {
  const [account = 'root', group] = (user ?? 'root').split(':')
  // root needs none, and where a group is named nobody has further ones
  const lost = (settings?.supplementaryGroups ?? []).filter((one) =>
    group === undefined
      ? accounts.user(account)?.uid !== 0 && !accounts.isMember(account, one)
      : accounts.gid(one) === undefined || accounts.gid(one) !== accounts.gid(group),
  )
  if (lost.length === 0) return
  const groups = [...new Set(lost)].map((one) => JSON.stringify(one.slice(0, 60))).join(', ')
  reader.warn(
    `${name}: its process will not be in ${groups} (SupplementaryGroups=), which an image cannot say; give them with --group-add`,
  )
}

function withOwner(directory: NeededDirectory, user: string | undefined): NeededDirectory {
  if (user === undefined) return directory
  const [owner, group] = user.split(':')
  return { ...directory, user: owner, ...(group === undefined ? {} : { group }) }
}

/** What has to run first, and what directories that would have made. */
function commandsBefore(
  { reader }: ServiceMachine,
  { settings, secrets, form, first = [], name }: Parts,
  user: string | undefined,
  needed: readonly NeededDirectory[],
): { before: readonly CommandBefore[]; made: readonly NeededDirectory[] } {
  const before: CommandBefore[] = []
  const made: NeededDirectory[] = []
  const isRoot = user === undefined || /^(?:root|0)(?::|$)/.test(user)
  const commands = settings?.startPre ?? []
  if (commands.length > MOST_COMMANDS) throw new Error(`it has more than ${MOST_COMMANDS} ExecStartPre=`)
  for (const command of commands) {
    const argv = substituteVariables(command, settings?.environment ?? new Map(), secrets && namesLeftOut(secrets))
    if (isConfigurationCheck(argv)) continue
    const directories = directoriesMadeBy(argv, [...needed, ...made])
    if (directories !== undefined) for (const directory of directories) made.push(directory)
    else if (isRoot || !(command.asRoot || settings?.permissionsStartOnly)) before.push({ ...command, argv })
    else
      reader.warn(
        `${name}: ${JSON.stringify(withNames(argv.join(' ')).slice(0, 200))} would have to run as root first; it is left out`,
      )
  }
  for (const argv of form.before ?? []) before.push({ argv, ignoresFailure: false })
  return { before: [...before, ...first], made }
}

/** systemd.exec(5): '~' is the user's home. */
function workingDirOf(
  settings: ServiceSettings | undefined,
  user: string | undefined,
  accounts: Accounts,
): string | undefined {
  const folder = settings?.workingDirectory
  if (folder === '~') return accounts.user(user?.split(':')[0] ?? 'root')?.home
  return folder?.startsWith('/') === true ? folder : undefined
}

/** systemd.kill(5): with or without 'SIG', or a number; TERM is every runtime's own. */
function signalOf(text: string | undefined): string | undefined {
  if (text === undefined || !/^(?:SIG)?[A-Z][A-Z0-9+-]*$|^\d{1,2}$/.test(text)) return undefined
  const name = /^\d|^SIG/.test(text) ? text : `SIG${text}`
  return name === 'SIGTERM' || name === '15' ? undefined : name
}
