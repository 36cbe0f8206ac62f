// node scripts/pack.js before|after, run by npm pack in a package's directory: before puts in what every tarball has and
// the repository has once, or never; after takes it out again.
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { MANIFEST, root } from './setup.js'

const folder = process.cwd()
const license = join(folder, 'LICENSE')
const manifest = join(folder, MANIFEST)

if (process.argv[2] === 'before') {
  if (!existsSync(join(folder, 'dist'))) {
    console.error(`pack: ${folder} is not built: npm run build`)
    process.exit(1)
  }
  copyFileSync(join(root, 'LICENSE'), license)
  if (hasCommands()) await describeCommands()
} else {
  for (const file of [license, manifest]) rmSync(file, { force: true })
}

function hasCommands() {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).oclif?.commands !== undefined
}

/** Spares an installed program to load all of its commands before it runs one. */
async function describeCommands() {
  const { Plugin } = createRequire(join(folder, 'package.json'))('@oclif/core')
  const options = { isRoot: true, ignoreManifest: true, errorOnManifestCreate: true, respectNoCacheDefault: true }
  const plugin = new Plugin({ root: folder, ...options })
  await plugin.load()
  // as a whole: the program may be running
  writeFileSync(`${manifest}.partial`, JSON.stringify(plugin.manifest))
  renameSync(`${manifest}.partial`, manifest)
}
