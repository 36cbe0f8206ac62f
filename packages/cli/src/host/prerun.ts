import { foreignWriter, usageError } from '@c2m/process'
import type { Hook } from '@oclif/core'
import { resolve } from 'node:path'
import { nearest, ownPackage, refuse } from './packages.js'

/** Before `c2m plugins install`, `link` and the like, which run code of oclif's data folder, or of a folder that is named. */
const prerun: Hook<'prerun'> = async function ({ Command, argv, config }) {
  if (Command.plugin?.name !== '@oclif/plugin-plugins') return
  await orUsageError(config.dataDir, async () => refuse(foreignWriter(await nearest(config.dataDir, '.'))))
  if (Command.id !== 'plugins:link') return
  const found = argv.findIndex((word) => !word.startsWith('-'))
  const index = found === -1 ? argv.length : found
  const named = resolve(argv[index] ?? '.')
  // oclif gets the folder that was looked at, also when a link led there
  argv[index] = await orUsageError(named, async () => ownPackage(await nearest(named, 'package.json')))
}
export default prerun

async function orUsageError<T>(folder: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look()
  } catch (error) {
    const shown = usageError(
      'C2M_PLUGIN_FOLDER',
      `plugins of ${folder} cannot be used: ${(error as Error).message}`,
      'name the folder of a plugin that belongs to you or root, and take away the right of others to write',
    )
    // oclif passes on only those errors of a hook that say how to end
    throw Object.assign(shown, { oclif: { exit: shown.exitCode } })
  }
}
