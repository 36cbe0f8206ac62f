import { cosmiconfig } from 'cosmiconfig'
import { C2mError, ExitCode } from '@c2m/process'
import { dirname } from 'node:path'
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
  return { values: parsed.data, file: found.filepath, folder: dirname(found.filepath) }
}

function configError(message: string, cause?: unknown): C2mError {
  return new C2mError('C2M_CONFIG', message, {
    hint: 'the keys are described by schema/c2m.config.schema.json in the package @c2m/cli',
    exitCode: ExitCode.usage,
    cause,
  })
}
