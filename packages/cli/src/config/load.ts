import { C2mError, ExitCode, isC2mError } from '@c2m/process'
import { open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findConfiguration, readStart } from './found.js'
import { parseData } from './parse.js'
import type { Config } from './schema.js'

export interface LoadedConfig {
  readonly values: Config
  /** Path of the file; undefined when there is none. */
  readonly file?: string
  /** Folder that relative paths start at. */
  readonly folder: string
  /** Keys of a file that was found, which do not count. */
  readonly ignored?: readonly string[]
}

const CODE = ['.mjs', '.cjs', '.js']
const DATA = ['.yaml', '.yml', '.json', '']
/** Problems of one file that are said; it may have as many as it has lines. */
const MAX_SAID = 5

/**
 * The file that was named, all of it, or what counts of the one that is found.
 * @throws C2M_CONFIG with the file, the key and what is wrong
 */
export async function loadConfig(
  named?: string,
  warn: (message: string) => void = () => undefined,
): Promise<LoadedConfig> {
  const found = named === undefined ? await find(warn) : { file: resolve(named), value: await readNamed(named) }
  if (found?.value === undefined) return { values: {}, folder: process.cwd() }
  const { file, value } = found
  const { configSchema, splitFound } = await import('./schema.js')
  const parsed = configSchema.safeParse(value)
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'top level'}: ${issue.message}`)
    throw configError(`${file}: ${faults.slice(0, MAX_SAID).map(shortened).join('; ')}`)
  }
  const folder = dirname(file)
  if (named !== undefined) return { values: fromFolder(parsed.data, folder), file, folder }
  const { counting, ignored } = splitFound(parsed.data)
  return { values: counting, file, folder, ignored }
}

async function find(warn: (message: string) => void) {
  try {
    return await findConfiguration(process.cwd(), warn)
  } catch (error) {
    if (isC2mError(error)) throw error
    throw configError(`cannot read the configuration ${(error as Error).message}`, error)
  }
}

/** Its user chose it, so it may be code, a link, or a pipe. */
async function readNamed(named: string): Promise<unknown> {
  const extension = extname(named)
  try {
    if (CODE.includes(extension)) {
      const module = (await import(pathToFileURL(resolve(named)).href)) as { default?: unknown }
      return module.default
    }
    if (!DATA.includes(extension))
      throw new Error(`its extension is none of ${[...DATA, ...CODE].filter(Boolean).join(', ')}`)
    await using handle = await open(named)
    return parseData(await readStart(handle), extension)
  } catch (error) {
    throw configError(`cannot read the configuration ${named}: ${shortened((error as Error).message)}`, error)
  }
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
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
