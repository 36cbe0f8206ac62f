import { Config, Plugin, settings, type Interfaces } from '@oclif/core'
import { errno } from '@c2m/process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ownPackage } from './packages.js'

/** An entry of the package.json in oclif's data folder. */
interface UserPlugin {
  readonly name: string
  readonly type: 'user' | 'link'
  readonly root?: string
  readonly tag?: string
  readonly url?: string
}

/**
 * What oclif is to run with: its own plugins, and those that the user installed or linked. oclif loads the latter
 * whoever owns them, running their code, so it is not asked to: here each is looked at first.
 */
export async function loadOptions(root: string, warn: (message: string) => void): Promise<Interfaces.LoadOptions> {
  // it would run ts-node or tsx from wherever a linked plugin's folder leads to
  settings.enableAutoTranspile = false
  // c2m has none, and oclif would read one from a folder that may be somebody else's
  process.env.C2M_DISABLE_THEME = '1'
  const own = await Config.load({ root, userPlugins: false })
  const added = await userPlugins(own.dataDir, warn)
  // the first is the program itself; a plugin of the user comes before, and instead of, one of the program's own
  const [program, ...core] = own.getPluginsList()
  const plugins = new Map<string, Interfaces.Plugin>()
  for (const one of [program, ...added, ...core])
    if (one !== undefined && !plugins.has(one.name)) plugins.set(one.name, one)
  return { root, plugins }
}

async function userPlugins(dataFolder: string, warn: (message: string) => void): Promise<Interfaces.Plugin[]> {
  const loaded: Interfaces.Plugin[] = []
  try {
    const folder = await ownPackage(dataFolder)
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      oclif?: { plugins?: UserPlugin[] }
    }
    const listed = manifest.oclif?.plugins ?? []
    for (const type of ['user', 'link']) {
      for (const one of listed.filter((entry) => entry.type === type)) {
        try {
          loaded.push(await load(one, folder))
        } catch (error) {
          warn(`plugin ${one.name} was not loaded: ${(error as Error).message}`)
        }
      }
    }
  } catch (error) {
    if (errno(error) !== 'ENOENT') warn(`plugins of ${dataFolder} were not loaded: ${(error as Error).message}`)
  }
  return loaded
}

async function load({ name, type, root, tag, url }: UserPlugin, folder: string): Promise<Interfaces.Plugin> {
  const own = await ownPackage(root ?? join(folder, 'node_modules', name))
  // of the kind whose folder oclif does not look for
  const plugin = new Plugin({ name, root: own, type: 'link', tag, url })
  await plugin.load()
  plugin.type = type
  return plugin
}
