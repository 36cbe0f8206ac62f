import type { ContainerProcess } from '@c2m/plugin-api'
import type { ConfigurationReader } from '../files/configuration-reader.js'
import { baseName } from '../files/paths.js'
import { runTimeNames, runTimeVariable, withoutPlaces } from '../files/run-time-variables.js'
import { isSecretName } from '../secrets/names.js'
import { Accounts } from '../services/accounts.js'
import { containerDirectories, temporaryDirectories } from '../services/directories.js'
import { entrypointWith } from '../services/entrypoint.js'
import type { Foreground, NeededDirectory } from '../services/foreground/form.js'
import { foregroundForm } from '../services/foreground/forms.js'
import { warnOfSecrets, withoutSecrets, type SecretVariables } from '../services/secret-variables.js'
import { modeOf } from '../systemd/service.js'
import { splitWords } from '../systemd/words.js'
import { readOpenrcScript, type OpenrcScript } from './scripts.js'

/**
 * An OpenRC service as a container's only process, from the plain assignments of its script: command, command_args,
 * command_args_foreground, command_user, directory (openrc-run(8)).
 * @param options excludeSecrets: variables that are secrets, by their names, stay out of it
 * @throws when it cannot be one
 */
export async function openrcProcess(
  reader: ConfigurationReader,
  name: string,
  { excludeSecrets = false }: { readonly excludeSecrets?: boolean } = {},
): Promise<ContainerProcess> {
  try {
    const valueOf = (variable: string, value: string) =>
      excludeSecrets && isSecretName(variable) ? runTimeVariable(variable) : value
    const script = await readOpenrcScript(reader, name, valueOf)
    if (script === undefined) throw new Error('the machine has no such service')
    return await processOf(reader, name, script, excludeSecrets)
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    throw new Error(`the service ${JSON.stringify(name.slice(0, 100))} cannot be a container's process: ${because}`, {
      cause: error,
    })
  }
}

async function processOf(
  reader: ConfigurationReader,
  name: string,
  script: OpenrcScript,
  excludeSecrets: boolean,
): Promise<ContainerProcess> {
  const { values, unknown } = script.settings
  for (const key of ['command', 'command_user', 'directory']) {
    if (runTimeNames([values.get(key) ?? '']).length > 0) {
      throw new Error(`its ${key} comes from a variable that is left out as a secret`)
    }
  }
  const { form, isKnown } = await foregroundOf(reader, name, script)
  const program = form.argv[0] ?? ''
  if (program.startsWith('/') && (await reader.type(program)) !== 'file') {
    throw new Error(`its program ${program} is not in the machine`)
  }
  const accounts = await Accounts.read(reader)
  const user = form.user ?? values.get('command_user')
  if (unknown.has('command_user') && !isKnown) throw new Error('only a shell could tell its command_user')
  for (const [index, part] of (user ?? '').split(':').entries()) {
    if (part === '') continue
    if ((index === 0 ? accounts.user(part)?.uid : accounts.gid(part)) === undefined) {
      throw new Error(`the machine has no ${index === 0 ? 'user' : 'group'} ${JSON.stringify(part.slice(0, 60))}`)
    }
  }
  const needed = [
    ...checkedDirectories(script),
    ...(form.directories ?? []),
    ...(await temporaryDirectories(reader, { names: [name, baseName(program)], user: user?.split(':')[0] })),
  ]
  const directories = containerDirectories(needed, accounts)
  const folder = values.get('directory')
  const [account = '', group] = (user ?? '').split(':')
  const imageUser = account === '' ? (user ?? '') : accounts.imageUser(account, group)
  const before = (form.before ?? []).map((argv) => ({ argv, ignoresFailure: false }))
  const hasShell = await reader.exists('/bin/sh')
  const exported = exportedVariables(reader, name, script)
  const commands = [...before.map(({ argv }) => argv), form.argv]
  const secrets = secretsOf(exported, commands, excludeSecrets)
  warnOfSecrets(reader, name, secrets, commands, hasShell)
  const env = { ...Object.fromEntries(withoutSecrets(exported, secrets)), ...form.env }
  return {
    entrypoint: hasShell ? entrypointWith(before, form.argv) : withoutPlaces(form.argv),
    ...(imageUser === '' || imageUser === 'root' ? {} : { user: imageUser }),
    ...(folder?.startsWith('/') === true ? { workingDir: folder } : {}),
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...(form.stopSignal === undefined ? {} : { stopSignal: form.stopSignal }),
    ...(directories.length === 0 ? {} : { directories }),
  }
}

/** What the script and its settings export, as far as no shell is needed to tell. */
function exportedVariables(
  reader: ConfigurationReader,
  name: string,
  { settings: { values, unknown, exported } }: OpenrcScript,
): ReadonlyMap<string, string> {
  const untold = [...exported].filter((variable) => unknown.has(variable))
  if (untold.length > 0) {
    reader.warn(`${name}: only a shell could tell ${untold.join(', ')}; give them to the image's containers with --env`)
  }
  return new Map([...values].filter(([variable]) => exported.has(variable)))
}

/** By their names, or since they are made of others that are left out; scripts and their settings are no secrets. */
function secretsOf(
  exported: ReadonlyMap<string, string>,
  commands: readonly (readonly string[])[],
  areLeftOut: boolean,
): SecretVariables {
  const own = [...exported].filter(([name, value]) => isSecretName(name) || runTimeNames([value]).length > 0)
  const names = new Set([...own.map(([name]) => name), ...commands.flatMap(runTimeNames)])
  return { names, stayInFiles: names, areLeftOut }
}

async function foregroundOf(
  reader: ConfigurationReader,
  name: string,
  { settings: { values, unknown } }: OpenrcScript,
): Promise<{ form: Foreground; isKnown: boolean }> {
  const value = (key: string) => {
    if (unknown.has(key)) throw new Error(`only a shell could tell its ${key}`)
    return values.get(key) ?? ''
  }
  const words = (key: string) => splitWords(value(key)).map(({ text }) => text)
  const hasCommand = !unknown.has('command') && values.get('command') !== undefined
  const script = `/etc/init.d/${name}`
  const isSupervised = value('supervisor') === 'supervise-daemon' || value('supervisor') === 's6'
  const staysByItself = isSupervised || /^(?:yes|true|1|on)$/i.test(value('command_background'))
  if (hasCommand) {
    const program = [value('command'), ...words('command_args')]
    // these are what OpenRC itself gives to a program that it watches
    if (isSupervised || value('command_args_foreground') !== '') {
      return { form: { argv: [...program, ...words('command_args_foreground')] }, isKnown: false }
    }
    const argv = [...program, ...(staysByItself ? words('command_args_background') : [])]
    const start = { argv, env: new Map<string, string>(), instance: undefined, forks: !staysByItself, reader }
    const form = await foregroundForm(name, start)
    if (form !== undefined) return { form, isKnown: true }
    if (staysByItself) return { form: { argv }, isKnown: false }
  } else {
    // a branch of the script may take another program; for a known service the plain one is right
    const likely = values.get('command')
    const args = unknown.has('command_args') ? [] : words('command_args')
    const argv = likely === undefined ? [script] : [likely, ...args]
    const start = { argv, env: new Map<string, string>(), instance: undefined, forks: true, reader }
    const form = await foregroundForm(name, start)
    if (form !== undefined && form.argv[0] !== script) return { form, isKnown: true }
    throw new Error(`${script} starts it by shell code of its own; give the image an entry point, or take another init`)
  }
  throw new Error(
    `its program ${value('command')} goes to the background and its foreground form is not known; set command_args_foreground in /etc/conf.d/${name}`,
  )
}

/** Directories that the script's `checkpath` lines make, where their words are plain or variables that are known. */
function checkedDirectories({ text, settings }: OpenrcScript): readonly NeededDirectory[] {
  const found: NeededDirectory[] = []
  for (const [, line = ''] of text.matchAll(/^[ \t]*checkpath[ \t]+([^\n]{1,1000})$/gm)) {
    const words = line
      .split(/\s+/)
      .map((word) => word.replace(/^["']|["']$/g, ''))
      .map((word) => word.replace(/\$\{?([A-Za-z_]\w*)\}?/g, (_all, name: string) => settings.values.get(name) ?? '$'))
    const option = (...names: readonly string[]) => {
      const at = words.findIndex((word) => names.includes(word))
      return at < 0 ? undefined : words[at + 1]
    }
    const path = words.at(-1) ?? ''
    if (!words.some((word) => /^(?:--directory|-d|-[dD][a-z]*)$/.test(word)) || !/^\/[^$`;|&]+$/.test(path)) continue
    const [user, group] = (option('--owner', '-o') ?? '').split(':')
    found.push({
      path,
      mode: modeOf(option('--mode', '-m')) ?? 0o755,
      ...(user === undefined || user === '' ? {} : { user }),
      ...(group === undefined || group === '' ? {} : { group }),
    })
  }
  return found
}
