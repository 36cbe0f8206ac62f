import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'

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
    for (const [name, [source]] of Object.entries(BROKEN)) sources[name] = source
    for (const [name, source] of Object.entries(sources)) {
      await mkdir(join(folder, name))
      const manifest = { name: `c2m-plugin-${name}`, version: '1.0.0', type: 'module', oclif: {}, c2m: './index.js' }
      await writeFile(join(folder, name, 'package.json'), JSON.stringify(manifest))
      await writeFile(join(folder, name, 'index.js'), source)
    }
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function list(plugins: readonly string[], more: object = {}) {
    await writeFile(join(folder, 'c2m.config.json'), JSON.stringify({ plugins, ...more }))
    return c2m(['plugins', 'list', '--config', join(folder, 'c2m.config.json')])
  }

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

  it('uses neither of two plugins with one id, unless the configuration chooses', async () => {
    const both = await list(['./twin'])
    expect(both.stderr).toContain(
      "'debian' is contributed by @c2m/plugin-debian and c2m-plugin-twin; none of them is used",
    )
    const chosen = await list(['./twin'], { overrides: { debian: '@c2m/plugin-debian' } })
    expect(chosen.stderr).toBe('')
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
