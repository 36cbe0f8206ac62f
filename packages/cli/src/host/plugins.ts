import type { Interfaces } from '@oclif/core'
import type { FoundPlugin, LoadedPlugin } from '@c2m/core'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LoadedConfig } from '../config/load.js'
import { ownPackage } from './packages.js'

type Origin = LoadedPlugin['origin']

/** By oclif's names for the types of its plugins. */
const ORIGINS: Readonly<Record<string, Origin>> = { core: 'built in', user: 'installed', link: 'linked' }

interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly c2m?: unknown
}

/**
 * Every oclif plugin whose package.json has a "c2m" field, and every entry of `plugins:` in the configuration. The file
 * that "c2m" names is imported; a plugin that cannot be is kept with its cause. (Not an oclif hook: hooks run in
 * parallel and their errors are swallowed.)
 */
export async function findPlugins(config: Interfaces.Config, settings: LoadedConfig): Promise<FoundPlugin[]> {
  const installed = config
    .getPluginsList()
    .filter((plugin) => (plugin.pjson as Manifest).c2m !== undefined)
    .map((plugin) => load(plugin.root, plugin.pjson as Manifest, ORIGINS[plugin.type] ?? 'installed'))
  const entries = [...new Set(settings.values.plugins)]
  const configured = await Promise.all(entries.map((entry) => loadConfigured(entry, settings)))
  // one package is one plugin, and the configuration's copy is the one that was asked for
  const replaced = new Set(configured.filter(({ failure }) => failure === undefined).map((one) => one.packageName))
  return [...(await Promise.all(installed)).filter((one) => !replaced.has(one.packageName)), ...configured]
}

async function loadConfigured(entry: string, { folder, file }: LoadedConfig): Promise<FoundPlugin> {
  try {
    const root = await ownPackage(isPath(entry) ? resolve(folder, entry) : packageFolder(entry, folder))
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
    return await load(root, manifest, 'configuration')
  } catch (failure) {
    return { packageName: entry, packageVersion: '0', origin: 'configuration', from: file ?? folder, failure }
  }
}

function isPath(entry: string): boolean {
  return isAbsolute(entry) || entry.startsWith('./') || entry.startsWith('../')
}

function packageFolder(name: string, folder: string): string {
  return dirname(createRequire(join(folder, 'c2m.config.json')).resolve(`${name}/package.json`))
}

async function load(root: string, manifest: Manifest, origin: Origin): Promise<FoundPlugin> {
  const name = { packageName: manifest.name ?? root, packageVersion: manifest.version ?? '0' }
  const found = { ...name, origin, from: root }
  if (typeof manifest.c2m !== 'string') return { ...found, failure: new Error('its package.json has no "c2m" field') }
  try {
    const own = origin === 'built in' ? root : await ownPackage(root, manifest.c2m)
    const module = (await import(pathToFileURL(resolve(own, manifest.c2m)).href)) as Record<string, unknown>
    return { ...found, exported: module.default ?? module.plugin }
  } catch (failure) {
    return { ...found, failure }
  }
}
