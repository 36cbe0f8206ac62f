import { cosmiconfig } from 'cosmiconfig'
import { C2mError, ExitCode } from '@c2m/process'
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { configSchema, type Config } from './schema.js'

export interface LoadedConfig {
  readonly values: Config
  /** Path of the file; undefined when there is none. */
  readonly file?: string
  /** Folder that relative paths start at. */
  readonly folder: string
}

// A search must not run code that lies about, so only data formats are searched for; a .mjs file has to be named.
const PLACES = ['c2m.config.yaml', 'c2m.config.yml', 'c2m.config.json']

/** @throws C2M_CONFIG with the file, the key and what is wrong */
export async function loadConfig(named?: string): Promise<LoadedConfig> {
  const explorer = cosmiconfig('c2m', { searchPlaces: PLACES, searchStrategy: 'project' })
  let found
  try {
    found = named === undefined ? await explorer.search() : await explorer.load(named)
  } catch (error) {
    throw configError(
      `cannot read the configuration${named === undefined ? '' : ` ${named}`}: ${(error as Error).message}`,
      error,
    )
  }
  if (found === null || found.isEmpty === true) return { values: {}, folder: process.cwd() }
  const parsed = configSchema.safeParse(found.config)
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'top level'}: ${issue.message}`)
    throw configError(`${found.filepath}: ${faults.join('; ')}`)
  }
  if (named === undefined && (parsed.data.plugins ?? []).length > 0) await refuseForeignCode(found.filepath)
  const folder = dirname(found.filepath)
  return { values: fromFolder(parsed.data, folder), file: found.filepath, folder }
}

/** Somebody else may have put it there, above or in the folder in which c2m happens to be run. */
async function refuseForeignCode(file: string): Promise<void> {
  const { uid, mode } = await stat(file)
  const me = process.getuid?.()
  const trusted = [me, 0, ...(me === 0 && process.env.SUDO_UID !== undefined ? [Number(process.env.SUDO_UID)] : [])]
  if (me === undefined || (trusted.includes(uid) && (mode & 0o002) === 0)) return
  throw new C2mError('C2M_CONFIG', `${file} names plugins, whose code c2m would run, and others can write that file`, {
    hint: 'look at it, and name it with --config when it is to be used',
    exitCode: ExitCode.usage,
  })
}

/** Paths of files start at the configuration's folder, '~/' at the user's. */
function fromFolder(values: Config, folder: string): Config {
  const path = (text: string) => (text.startsWith('~/') ? join(homedir(), text.slice(2)) : resolve(folder, text))
  const { container2vm, vm2container } = values
  const [keys, kernel, backing] = [container2vm?.['ssh-key'], container2vm?.kernel, vm2container?.['allow-backing']]
  return {
    ...values,
    ...(container2vm && {
      container2vm: {
        ...container2vm,
        ...(keys && { 'ssh-key': keys.map(path) }),
        // else the name of a flavour
        ...(kernel?.includes('/') && { kernel: path(kernel) }),
      },
    }),
    ...(vm2container && { vm2container: { ...vm2container, ...(backing && { 'allow-backing': backing.map(path) }) } }),
  }
}

function configError(message: string, cause?: unknown): C2mError {
  return new C2mError('C2M_CONFIG', message, {
    hint: 'the keys are described by schema/c2m.config.schema.json in the package @c2m/cli',
    exitCode: ExitCode.usage,
    cause,
  })
}
