import { Config } from '@oclif/core'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findPlugins } from './plugins.js'
import prerun from './prerun.js'
import { loadOptions } from './user-plugins.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NOBODY = 65534
const asRoot = it.runIf(process.getuid?.() === 0)
let folder = ''
let data = ''
let marker = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-user-plugins-'))
  data = join(folder, 'data')
  marker = join(folder, 'ran')
  process.env.C2M_DATA_DIR = data
})
afterEach(async () => {
  await rm(folder, { recursive: true })
  delete process.env.C2M_DATA_DIR
})

/** A package with a command, which oclif runs while it looks for commands, and a c2m plugin. */
async function makePackage(at: string, name: string, entry = './index.js'): Promise<string> {
  const manifest = { name, version: '1.0.0', type: 'module', c2m: entry, oclif: { commands: './commands' } }
  const mark = `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(marker)}, '')\n`
  await mkdir(join(at, 'commands'), { recursive: true })
  await writeFile(join(at, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(at, 'commands', 'marked.js'), `${mark}export default class { static run() {} }`)
  await writeFile(join(at, 'index.js'), `${mark}export default {}`)
  return at
}

async function listed(...plugins: readonly object[]): Promise<void> {
  await mkdir(data, { recursive: true })
  await writeFile(join(data, 'package.json'), JSON.stringify({ oclif: { schema: 1, plugins } }))
}

async function load() {
  const warnings: string[] = []
  const options = await loadOptions(ROOT, (message) => warnings.push(message))
  const config = await Config.load(options)
  const added = config.getPluginsList().filter(({ type }) => type !== 'core')
  const names = config.getPluginsList().map(({ name }) => name)
  return { config, names, added: added.map(({ name, type }) => `${type} ${name}`), warnings, ran: existsSync(marker) }
}

describe('plugins that the user added', () => {
  beforeEach(async () => {
    await makePackage(join(data, 'node_modules', 'c2m-plugin-a'), 'c2m-plugin-a')
    await makePackage(join(folder, 'b'), 'c2m-plugin-b')
    await listed(
      { name: 'c2m-plugin-a', type: 'user' },
      { name: 'c2m-plugin-b', type: 'link', root: join(folder, 'b') },
    )
  })

  it('are loaded, before those that c2m brings', async () => {
    const { config, names, added, warnings } = await load()
    expect(added).toEqual(['user c2m-plugin-a', 'link c2m-plugin-b'])
    expect(names.slice(0, 3)).toEqual(['@c2m/cli', 'c2m-plugin-a', 'c2m-plugin-b'])
    expect(warnings).toEqual([])
    const found = await findPlugins(config, { values: {}, folder })
    expect(found.filter(({ origin }) => origin !== 'built in').map(({ origin, failure }) => [origin, failure])).toEqual(
      [
        ['installed', undefined],
        ['linked', undefined],
      ],
    )
  })

  it('come instead of one that c2m brings', async () => {
    await makePackage(join(folder, 'b'), '@c2m/plugin-debian')
    const { added, names } = await load()
    expect(added).toContain('link @c2m/plugin-debian')
    expect(names.filter((name) => name === '@c2m/plugin-debian')).toHaveLength(1)
  })

  it.each(['', 'package.json', 'index.js', 'commands', 'commands/marked.js'])(
    'are not run when everybody can write their %j',
    async (name) => {
      await chmod(join(folder, 'b', name), 0o777)
      await chmod(join(data, 'node_modules', 'c2m-plugin-a', name), 0o777)
      const { added, warnings, ran } = await load()
      expect(added).toEqual([])
      expect(warnings.map((one) => one.split(':')[0])).toEqual([
        'plugin c2m-plugin-a was not loaded',
        'plugin c2m-plugin-b was not loaded',
      ])
      expect(warnings.join('\n')).toContain(`everybody can write ${join(folder, 'b', name)}`.replace(/\/$/, ''))
      expect(ran).toBe(false)
    },
  )

  it('are not run when everybody can write c2m’s data folder, or what is above it', async () => {
    for (const open of [data, join(data, 'package.json'), join(data, 'node_modules'), folder]) {
      await chmod(open, 0o777)
      const { added, warnings, ran } = await load()
      expect(added.filter((one) => one.startsWith('user'))).toEqual([])
      expect(warnings.join('\n')).toContain(`everybody can write ${open}`)
      if (open !== join(data, 'node_modules')) expect(ran).toBe(false)
      await chmod(open, 0o755)
      await rm(marker, { force: true })
    }
  })

  asRoot('are not run when they, or what they would import from, are another user’s', async () => {
    await chown(join(folder, 'b', 'index.js'), NOBODY, NOBODY)
    expect((await load()).added).toEqual(['user c2m-plugin-a'])
    await chown(join(folder, 'b', 'index.js'), 0, 0)
    await mkdir(join(folder, 'node_modules'))
    await chown(join(folder, 'node_modules'), NOBODY, NOBODY)
    await rm(marker, { force: true })
    const { added, warnings, ran } = await load()
    expect([added, ran]).toEqual([[], false])
    expect(warnings[0]).toContain(`${folder}/node_modules belongs to user ${NOBODY}`)
  })

  it('are run from where a link leads to, which others cannot change any more', async () => {
    await rename(join(folder, 'b'), join(folder, 'real'))
    await symlink('real', join(folder, 'b'))
    const { config } = await load()
    expect(config.getPluginsList().find(({ name }) => name === 'c2m-plugin-b')?.root).toBe(join(folder, 'real'))
  })

  it('do not hinder c2m when they are missing or broken', async () => {
    await rm(join(folder, 'b'), { recursive: true })
    const { added, warnings } = await load()
    expect([added, warnings.length]).toEqual([['user c2m-plugin-a'], 1])
    await writeFile(join(data, 'package.json'), '{')
    expect((await load()).warnings[0]).toContain(`plugins of ${data} were not loaded`)
    await rm(data, { recursive: true })
    expect(await load()).toMatchObject({ added: [], warnings: [] })
  })

  it('are not transpiled by what lies beside them', async () => {
    const tsx = join(folder, 'node_modules', 'tsx')
    await mkdir(join(tsx, 'dist'), { recursive: true })
    await writeFile(join(tsx, 'package.json'), JSON.stringify({ exports: { './esm/api': './dist/api.cjs' } }))
    await writeFile(join(tsx, 'dist', 'api.cjs'), `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '')`)
    const manifest = { name: 'c2m-plugin-b', version: '1.0.0', type: 'module', devDependencies: { tsx: '*' } }
    const oclif = { commands: './dist/commands' }
    await writeFile(join(folder, 'b', 'package.json'), JSON.stringify({ ...manifest, oclif }))
    const options = { compilerOptions: { rootDir: 'src', outDir: 'dist' } }
    await writeFile(join(folder, 'b', 'tsconfig.json'), JSON.stringify(options))
    await listed({ name: 'c2m-plugin-b', type: 'link', root: join(folder, 'b') })
    expect(await load()).toMatchObject({ added: ['link c2m-plugin-b'], ran: false })
  })
})

describe('a plugin of a named configuration', () => {
  async function failure(entry: string): Promise<string> {
    const config = await Config.load({ root: ROOT, userPlugins: false })
    const found = await findPlugins(config, { values: { plugins: [entry] }, folder, file: join(folder, 'c.yaml') })
    const cause = found.find(({ origin }) => origin === 'configuration')?.failure
    return cause instanceof Error ? cause.message : ''
  }

  it('is loaded from its folder, or from node_modules', async () => {
    await makePackage(join(folder, 'mine'), 'mine')
    await makePackage(join(folder, 'node_modules', 'packaged'), 'packaged')
    for (const entry of ['./mine', join(folder, 'mine'), 'packaged']) expect(await failure(entry)).toBe('')
  })

  it.each(['mine', 'node_modules', 'elsewhere', 'elsewhere/code.js'])(
    'is not loaded when everybody can write %s',
    async (open) => {
      await makePackage(join(folder, 'mine'), 'mine', '../elsewhere/code.js')
      await makePackage(join(folder, 'node_modules', 'packaged'), 'packaged', '../../elsewhere/code.js')
      await mkdir(join(folder, 'elsewhere'))
      await rename(join(folder, 'mine', 'index.js'), join(folder, 'elsewhere', 'code.js'))
      await writeFile(join(folder, 'elsewhere', 'package.json'), '{"type":"module"}')
      await chmod(join(folder, open), 0o777)
      for (const entry of open === 'mine' ? ['./mine'] : ['./mine', 'packaged'])
        expect(await failure(entry)).toContain(
          `others could change its code: everybody can write ${join(folder, open)}`,
        )
      expect(existsSync(marker)).toBe(false)
    },
  )

  it('is not loaded through a link into what others can write', async () => {
    const open = join(folder, 'open', 'mine')
    await makePackage(open, 'mine')
    await chmod(dirname(open), 0o777)
    await symlink(open, join(folder, 'link'))
    expect(await failure('./link')).toContain(`everybody can write ${dirname(open)}`)
    expect(existsSync(marker)).toBe(false)
  })
})

describe('the commands that change plugins', () => {
  /** @returns the words that the command gets */
  async function before(id: string, ...argv: string[]): Promise<string[]> {
    const Command = { id, plugin: { name: '@oclif/plugin-plugins' } }
    await prerun.call({} as never, { Command, argv, config: { dataDir: data } } as never)
    return argv
  }
  const refused = { code: 'C2M_PLUGIN_FOLDER', exitCode: 2, oclif: { exit: 2 } }

  it('work on c2m’s data folder only when nobody else can write it', async () => {
    expect(await before('plugins:install', 'x')).toEqual(['x'])
    await mkdir(data)
    await chmod(data, 0o777)
    await expect(before('plugins:install', 'x')).rejects.toMatchObject(refused)
    await rm(data, { recursive: true })
    await chmod(folder, 0o777)
    await expect(before('plugins:update')).rejects.toMatchObject(refused)
  })

  it('link a folder only when nobody else can write it, and the one that a link leads to', async () => {
    const mine = await makePackage(join(folder, 'mine'), 'mine')
    await symlink(mine, join(folder, 'link'))
    expect(await before('plugins:link', '-v', join(folder, 'link'), '--no-install')).toEqual([
      '-v',
      mine,
      '--no-install',
    ])
    expect(await before('plugins:link', join(mine, 'commands'))).toEqual([mine])
    await chmod(join(mine, 'commands'), 0o777)
    await expect(before('plugins:link', mine)).rejects.toMatchObject(refused)
    await expect(before('plugins:link', join(folder, 'missing'))).rejects.toMatchObject(refused)
  })
})
