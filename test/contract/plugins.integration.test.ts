import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'
import { debian12 } from '../support/debian.js'

const GOOD = `export default { name: 'good', apiVersion: 1, contributes: [{
  kind: 'distro', id: 'nix', summary: 'a test distribution',
  detect: async () => undefined, traits: () => ({}), toMachine: () => [], install: () => [], kernels: async () => [] }] }`

/** Each broken in one way, with what c2m has to say about it. */
const BROKEN: Readonly<Record<string, readonly [source: string, said: string]>> = {
  'api-too-new': [
    `export default { name: 'x', apiVersion: 99, contributes: [] }`,
    'its apiVersion is 99; this c2m speaks 1',
  ],
  'no-plugin': ['export const nothing = 1', 'it exports no plugin object'],
  throws: [`throw new Error('boom at import')`, 'boom at import'],
  'bad-kind': [`export default { name: 'x', apiVersion: 1, contributes: [{ kind: 'chef' }] }`, 'its kind is "chef"'],
  'no-function': [
    `export default { name: 'x', apiVersion: 1, contributes: [{ kind: 'distro', id: 'x', summary: '' }] }`,
    '"detect" is not a function',
  ],
}

describe('the plugin host', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-plugins-'))
    const sources: Record<string, string> = { good: GOOD, twin: GOOD.replace("'nix'", "'debian'") }
    sources['detect-throws'] = GOOD.replace("'nix'", "'bad'").replace(
      'detect: async () => undefined',
      "detect: async () => { throw new Error('boom at detection') }",
    )
    for (const [name, [source]] of Object.entries(BROKEN)) sources[name] = source
    for (const [name, source] of Object.entries(sources)) {
      await mkdir(join(folder, name))
      const manifest = { name: `c2m-plugin-${name}`, version: '1.0.0', type: 'module', oclif: {}, c2m: './index.js' }
      await writeFile(join(folder, name, 'package.json'), JSON.stringify(manifest))
      await writeFile(join(folder, name, 'index.js'), source)
    }
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function run(command: readonly string[], plugins: readonly string[], more: object = {}) {
    await writeFile(join(folder, 'c2m.config.json'), JSON.stringify({ plugins, ...more }))
    return c2m([...command, '--config', join(folder, 'c2m.config.json')])
  }
  const list = (plugins: readonly string[], more: object = {}) => run(['plugins', 'list'], plugins, more)

  it('lists its own plugins and those of the configuration', async () => {
    const { code, stdout } = await list(['./good'])
    expect(code).toBe(0)
    expect(stdout).toContain('@c2m/plugin-debian')
    expect(stdout).toContain('distro nix: a test distribution')
  })

  it.each(Object.entries(BROKEN))('names the broken plugin %s and goes on', async (name, [, said]) => {
    const { code, stdout, stderr } = await list([`./${name}`, './good'])
    expect(code).toBe(0)
    expect(stderr).toContain(`plugin c2m-plugin-${name} was not loaded: `)
    expect(stderr).toContain(said)
    expect(stdout).toContain('distro nix')
    expect(stdout).toContain('distro debian')
  })

  it('names a plugin that is not there', async () => {
    const { code, stderr } = await list(['./missing'])
    expect(code).toBe(0)
    expect(stderr).toContain('plugin ./missing was not loaded')
  })

  it('names a plugin whose detect throws, and passes it over', async () => {
    const { code, stdout, stderr } = await run(['inspect', `oci:${await debian12()}`], ['./detect-throws', './good'])
    expect(code).toBe(0)
    expect(stderr).toContain('plugin c2m-plugin-detect-throws: detect failed: boom at detection')
    expect(stdout).toMatch(/plugin +debian \(@c2m\/plugin-debian\)/)
  })

  it('uses neither of two plugins with one id, unless the configuration chooses', async () => {
    const both = await list(['./twin'])
    expect(both.stderr).toContain(
      "'debian' is contributed by @c2m/plugin-debian and c2m-plugin-twin; none of them is used",
    )
    const chosen = await list(['./twin'], { overrides: { debian: '@c2m/plugin-debian' } })
    expect(chosen.stderr).toBe('')
  })

  it('shows what is loaded, from where and what each contributes, and what keeps others out', async () => {
    const plugins = ['./good', './throws', './twin', './missing']
    const { code, stdout, stderr } = await run(['inspect', '--plugins'], plugins)
    expect(code).toBe(0)
    expect(stderr).toBe('')
    const lines = stdout.split('\n')
    expect(lines).toContain(`c2m-plugin-good 1.0.0 (configuration: ${join(folder, 'good')})`)
    expect(lines).toContainEqual(expect.stringMatching(/^@c2m\/plugin-grub-pc \S+ \(built in: \/.*grub-pc\)$/))
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}bootloader grub-pc: .* \(family grub; bios; amd64, 386\)$/),
    )
    expect(stdout).toContain(`not loaded\n  ./missing 0 (configuration: ${join(folder, 'c2m.config.json')})\n`)
    expect(stdout).toContain('    boom at import\n')
    expect(stdout).toContain('not used\n  debian: contributed by @c2m/plugin-debian and c2m-plugin-twin')
  })

  it('shows the same to programs', async () => {
    const { stdout } = await run(['inspect', '--plugins', '--json'], ['./good', './throws', './twin'])
    const found = JSON.parse(stdout) as { plugins: unknown[]; broken: unknown[]; duplicates: unknown[] }
    const from = join(folder, 'good')
    expect(found.plugins).toContainEqual({
      ...{ packageName: 'c2m-plugin-good', packageVersion: '1.0.0', origin: 'configuration', from },
      contributes: [{ kind: 'distro', id: 'nix', summary: 'a test distribution' }],
    })
    expect(found.broken).toMatchObject([{ packageName: 'c2m-plugin-throws', because: 'boom at import' }])
    expect(found.duplicates).toEqual([{ id: 'debian', packageNames: ['@c2m/plugin-debian', 'c2m-plugin-twin'] }])
  })

  it.each([[['inspect']], [['inspect', '--plugins', 'oci:x']]])('refuses %j', async (command) => {
    expect((await run(command, [])).code).toBe(2)
  })

  it.each([
    ['{ "plugin": [] }', 'plugin'],
    ['{ "plugins": "x" }', 'plugins'],
    ['{ "container2vm": { "size": "big" } }', 'container2vm.size'],
    ['{ not json', 'cannot read the configuration'],
  ])('refuses the configuration %s', async (text, said) => {
    const file = join(folder, 'bad.json')
    await writeFile(file, text)
    const { code, stderr } = await c2m(['plugins', 'list', '--config', file])
    expect(code).toBe(2)
    expect(stderr).toContain(said)
    expect(stderr).toContain('C2M_CONFIG')
  })
})
