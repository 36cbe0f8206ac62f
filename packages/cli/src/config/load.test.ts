import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ignoredText } from '../report/lines.js'
import { ignoredKeys } from './defaults.js'
import { loadConfig } from './load.js'

const NOBODY = 65534
const before = process.cwd()
const asRoot = it.runIf(process.getuid?.() === 0)
let folder = ''
let file = ''
let marker = ''
/** A module that leaves a file behind when it is run. */
let marking = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-config-'))
  file = join(folder, 'c2m.config.yaml')
  marker = join(folder, 'ran')
  marking = `require('node:fs').writeFileSync(${JSON.stringify(marker)}, ''); module.exports = {}`
  await mkdir(join(folder, 'below'))
  process.chdir(join(folder, 'below'))
})
afterEach(async () => {
  process.chdir(before)
  await rm(folder, { recursive: true })
  delete process.env.SUDO_UID
})

/** What is loaded, and the warnings. */
async function found() {
  const warnings: string[] = []
  const { values, ignored = [] } = await loadConfig(undefined, (message) => warnings.push(message))
  return { values, ignored, warnings }
}

/** Eleven to the power of nine words, were they written out. */
const ALIASES = [...'abcdefghi']
  .map((key, index, keys) => `${key}: &${key} [x${`, ${index === 0 ? 'x' : `*${keys[index - 1]}`}`.repeat(10)}]`)
  .join('\n')

const USED = { container2vm: { size: '4G' } }

describe('a configuration that is found', () => {
  it.each([
    ['c2m.config.yaml', 'container2vm: { size: 4G }\n'],
    ['c2m.config.yml', '\ufeffcontainer2vm:\n  size: 4G\n'],
    ['c2m.config.json', '{\n\t"container2vm": { "size": "4G" }\n}\n'],
  ])('may be %s, in this directory or above it', async (name, text) => {
    await writeFile(join(folder, name), text)
    expect(await found()).toMatchObject({ values: USED, warnings: [] })
    await writeFile(join(folder, 'below', 'package.json'), '')
    expect(await found()).toMatchObject({ values: {}, warnings: [] })
    await rename(join(folder, name), join(folder, 'below', name))
    expect(await found()).toMatchObject({ values: USED, warnings: [] })
  })

  it('is the nearest that has content', async () => {
    await writeFile(file, 'container2vm: { size: 4G }\n')
    await writeFile('c2m.config.yaml', '# nothing\n')
    await mkdir('c2m.config.yml')
    await writeFile('c2m.config.json', ' ')
    expect((await found()).values).toEqual(USED)
    await writeFile('c2m.config.json', '{"container2vm": {"size": "5G"}}')
    expect((await found()).values).toEqual({ container2vm: { size: '5G' } })
  })

  it('gives ordinary data only, and the other keys are named', async () => {
    await writeFile(
      file,
      `plugins: [./plugin]
overrides: { debian: x }
container2vm: { sandbox: root, ssh-key: [k.pub], size: 4G, kernel: ./k, cmdline: [init=/x], package: [p], dns: [1.2.3.4] }
vm2container: { allow-backing: [/], keep: [all], exclude-secrets: false, reader: nbd, init: none, level: 3 }
`,
    )
    const { values, ignored, warnings } = await found()
    expect(values).toEqual({ ...USED, vm2container: { level: 3 } })
    expect(warnings).toEqual([])
    const [vm, container] = [
      ['sandbox', 'ssh-key', 'kernel', 'cmdline', 'package', 'dns'].map((key) => `container2vm.${key}`),
      ['allow-backing', 'keep', 'exclude-secrets', 'reader', 'init'].map((key) => `vm2container.${key}`),
    ]
    expect([...ignored].sort()).toEqual(['plugins', 'overrides', ...vm, ...container].sort())
    const settings = { values, ignored, folder, file }
    expect(ignoredKeys(settings)).toEqual(['plugins', 'overrides'])
    expect([...ignoredKeys(settings, 'container2vm')].sort()).toEqual(['plugins', 'overrides', ...vm].sort())
    expect(ignoredText(file, ['plugins'])).toBe(
      `the key plugins of ${file} counts only in a file that is named; --config ${file} makes it count`,
    )
    const named = (await loadConfig(file)).values
    expect(named.plugins).toEqual(['./plugin'])
    expect(named.container2vm).toMatchObject({ sandbox: 'root', 'ssh-key': [join(folder, 'k.pub')] })
  })

  const places = [
    'package.json',
    'package.yaml',
    '.c2mrc',
    '.c2mrc.js',
    'c2m.config.js',
    'c2m.config.mjs',
    'c2m.config.ts',
  ]
  const metas = ['json', 'yaml', 'yml', 'js', 'cjs', 'mjs', 'ts'].map((extension) => `.config/config.${extension}`)
  it.each([...places, ...metas, '.config/c2mrc.js', '.config/c2m.config.yaml'])('is not %s', async (name) => {
    await writeFile(join(folder, 'evil.cjs'), marking)
    const meta = { searchPlaces: ['../evil.cjs', 'evil.cjs'], $import: '../evil.cjs' }
    const data = JSON.stringify({ ...meta, c2m: { $import: './evil.cjs', ...USED }, cosmiconfig: meta, ...USED })
    const isCode = /\.[cm]?[jt]s$/.test(name)
    for (const at of [folder, join(folder, 'below')]) {
      await mkdir(join(at, '.config'), { recursive: true })
      await writeFile(join(at, name), isCode ? marking.replace('require(', 'process.getBuiltinModule(') : data)
    }
    expect(await found()).toMatchObject({ values: {}, warnings: [] })
    expect(existsSync(marker)).toBe(false)
  })

  it.each<[string, string | Uint8Array]>([
    ['an import of code', '$import: ./evil.cjs'],
    ['an import of data that imports code', '$import: [./more.yaml]'],
    ['an import in a section', 'container2vm: { $import: ./evil.cjs }'],
    ['an import in a value', 'vm2container: { level: { $import: ./evil.cjs } }'],
    ['a tag of code', 'a: !!js/function "function () {}"'],
    ['a merge key', '<<: { container2vm: { size: 4G } }'],
    ['a prototype', '__proto__: { plugins: [./evil.cjs] }'],
    ['a prototype of a section', 'container2vm: { __proto__: { sandbox: root } }'],
    ['a constructor', 'constructor: { prototype: {} }'],
    ['a key twice', 'container2vm: { size: 4G }\ncontainer2vm: { size: 5G }'],
    ['two documents', 'container2vm: { size: 4G }\n---\ncontainer2vm: { size: 5G }'],
    ['a list', '[container2vm]'],
    ['a zero byte', '\0'],
    ['much nesting', `plugins: ${'['.repeat(100_000)}`],
    ['aliases of aliases', ALIASES],
    ['very many wrong values', `container2vm: { dns: [${'1,'.repeat(400_000)}1] }`],
    ['a very long key', `"${'k'.repeat(900_000)}": 1`],
    ['Latin-1', Buffer.from('container2vm: { hostname: "\xe9" }', 'latin1')],
    ['UTF-16', Buffer.from('\ufeffcontainer2vm: { size: 4G }', 'utf16le')],
  ])('is refused in one sentence when it has %s', async (_what, text) => {
    await writeFile(join(folder, 'evil.cjs'), marking)
    await writeFile(join(folder, 'more.yaml'), '$import: ./evil.cjs')
    await writeFile(file, text)
    for (const named of [undefined, file]) {
      const error = (await loadConfig(named).catch((one: unknown) => one)) as Error
      expect(error).toMatchObject({ code: 'C2M_CONFIG', exitCode: 2 })
      expect(error.message).toContain(file)
      expect(error.message.length).toBeLessThan(2000)
      expect(error.message).not.toContain('\n')
    }
    expect(existsSync(marker)).toBe(false)
    expect({}).not.toHaveProperty('plugins')
  })

  it('is refused when it is JSON with a key twice, or no JSON', async () => {
    for (const text of ['{"container2vm": {"size": "4G", "size": "5G"}}', 'container2vm: { size: 4G }']) {
      await writeFile(join(folder, 'c2m.config.json'), text)
      await expect(loadConfig(undefined, () => undefined)).rejects.toMatchObject({ code: 'C2M_CONFIG' })
    }
  })

  it('is refused when it is larger than a configuration can be, without reading all of it', async () => {
    await writeFile(file, '')
    await truncate(file, 2 ** 40)
    await expect(loadConfig(undefined, () => undefined)).rejects.toThrow(/larger than 1 MiB/)
    await expect(loadConfig(file)).rejects.toThrow(/larger than 1 MiB/)
  })

  describe('is not read when others could have written it', () => {
    // of what is not to be read, even nonsense is no error
    beforeEach(() => writeFile(file, ']'))

    const passedOver = async (reason: string | RegExp) => {
      const { values, warnings } = await found()
      expect(values).toEqual({})
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toContain(`${file} is not used: `)
      expect(warnings[0]).toMatch(reason)
      expect(warnings[0]).toContain('--config')
    }

    it('everybody', async () => {
      await chmod(file, 0o666)
      await passedOver(`everybody can write ${file}`)
    })
    it('its group', async () => {
      await chmod(file, 0o664)
      if (process.getuid?.() === 0) await passedOver(`group 0 can write ${file}`)
    })
    it('everybody, by its directory', async () => {
      await chmod(folder, 0o777)
      await passedOver(`everybody can write ${folder}`)
    })
    it('everybody, by its directory, sticky or not', async () => {
      await chmod(folder, 0o1777)
      await passedOver(`everybody can write ${folder}`)
    })
    it('everybody, by a directory above', async () => {
      const above = join(folder, 'above')
      await mkdir(above)
      await chmod(above, 0o777)
      await mkdir(join(above, 'own'))
      file = join(above, 'own', 'c2m.config.yaml')
      await writeFile(file, ']')
      process.chdir(join(above, 'own'))
      await rm(join(folder, 'c2m.config.yaml'))
      await passedOver(`everybody can write ${above}`)
      await chmod(above, 0o1777)
      await writeFile(file, 'container2vm: { size: 4G }')
      expect(await found()).toMatchObject({ values: USED, warnings: [] })
    })
    it('through a symbolic link', async () => {
      await rename(file, join(folder, 'real.yaml'))
      await symlink('real.yaml', file)
      await passedOver('a symbolic link')
    })
    it('who writes into the pipe that it is', async () => {
      await rm(file)
      execFileSync('mkfifo', [file])
      await passedOver('not a regular file')
    })
    asRoot('another user', async () => {
      await chown(file, NOBODY, NOBODY)
      await passedOver(`${file} belongs to user ${NOBODY}`)
      process.env.SUDO_UID = '1000'
      await passedOver(`${file} belongs to user ${NOBODY}`)
      process.env.SUDO_UID = ''
      await passedOver(`${file} belongs to user ${NOBODY}`)
      process.env.SUDO_UID = String(NOBODY)
      await expect(loadConfig(undefined, () => undefined)).rejects.toMatchObject({ code: 'C2M_CONFIG' })
    })
    asRoot('another user, by its directory', async () => {
      await chown(folder, NOBODY, NOBODY)
      await passedOver(`${folder} belongs to user ${NOBODY}`)
    })
    asRoot('the owner of a sticky directory above', async () => {
      const above = join(folder, 'above')
      await mkdir(join(above, 'own'), { recursive: true })
      await chown(above, NOBODY, NOBODY)
      await chmod(above, 0o1777)
      file = join(above, 'own', 'c2m.config.yaml')
      await writeFile(file, ']')
      process.chdir(join(above, 'own'))
      await rm(join(folder, 'c2m.config.yaml'))
      await passedOver(`${above} belongs to user ${NOBODY}`)
    })
    asRoot('another, when this directory is reached through a link', async () => {
      const theirs = join(folder, 'theirs')
      await mkdir(theirs)
      await chown(theirs, NOBODY, NOBODY)
      await symlink(theirs, join(folder, 'link'))
      process.chdir(join(folder, 'link'))
      await rm(file)
      file = join(theirs, 'c2m.config.yaml')
      await writeFile(file, ']')
      await passedOver(`${theirs} belongs to user ${NOBODY}`)
    })
  })

  it('gives way to one above when it is not read', async () => {
    await writeFile(file, 'container2vm: { size: 4G }')
    await writeFile('c2m.config.yaml', ']')
    await chmod('c2m.config.yaml', 0o666)
    const { values, warnings } = await found()
    expect([values, warnings.length]).toEqual([USED, 1])
  })
})

describe('a configuration that is named', () => {
  it('may be code, a link, a pipe, and anybody’s', async () => {
    await writeFile(join(folder, 'c.mjs'), 'export default { plugins: ["./mine"] }')
    await writeFile(join(folder, 'c.cjs'), 'module.exports = { plugins: ["./mine"] }')
    await writeFile(join(folder, 'c'), 'plugins: [./mine]')
    await chmod(join(folder, 'c'), 0o666)
    await symlink('c', join(folder, 'link.yaml'))
    for (const name of ['c.mjs', 'c.cjs', 'c', 'link.yaml'])
      expect((await loadConfig(join(folder, name))).values.plugins).toEqual(['./mine'])
    expect((await loadConfig('/dev/null')).values).toEqual({})
  })

  it('is refused when it is not there, a directory, or of a format that is not known', async () => {
    for (const name of ['c.ts', 'c.toml']) await writeFile(join(folder, name), 'plugins: [./mine]')
    for (const name of ['missing.yaml', 'below', 'c.ts', 'c.toml', 'missing.mjs'])
      await expect(loadConfig(join(folder, name))).rejects.toMatchObject({ code: 'C2M_CONFIG', exitCode: 2 })
  })

  it('has paths that start where it lies, or at home', async () => {
    const keys = 'container2vm: { ssh-key: [id.pub, ~/.ssh/id.pub, /k.pub], kernel: ./bzImage }'
    await writeFile(file, `${keys}\nvm2container: { allow-backing: [../base] }\n`)
    const { values } = await loadConfig('../c2m.config.yaml')
    expect(values.container2vm).toEqual({
      'ssh-key': [join(folder, 'id.pub'), join(homedir(), '.ssh/id.pub'), '/k.pub'],
      kernel: join(folder, 'bzImage'),
    })
    expect(values.vm2container).toEqual({ 'allow-backing': [join(folder, '..', 'base')] })
    await writeFile(file, 'container2vm: { kernel: cloud }\n')
    expect((await loadConfig(file)).values.container2vm).toEqual({ kernel: 'cloud' })
  })
})
