import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../support/paths.js'

interface Package {
  readonly name: string
  readonly oclif?: object
  readonly c2m?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

const folders = ['plugins', 'examples'].flatMap((parent) =>
  readdirSync(`${ROOT}${parent}`).map((name) => `${parent}/${name}`),
)
const packageOf = (folder: string) => JSON.parse(readFileSync(`${ROOT}${folder}/package.json`, 'utf8')) as Package
/** Libraries that plugins share contribute nothing themselves. */
const plugins = folders.filter((folder) => packageOf(folder).c2m !== undefined)

it('finds the plugins', () => {
  expect(plugins.length).toBeGreaterThanOrEqual(folders.length - 1)
})

describe.each(plugins)('%s', (folder) => {
  const { oclif, c2m, dependencies = {} } = packageOf(folder)

  it('is a package that the plugin host takes', () => {
    expect({ oclif, c2m }).toEqual({ oclif: {}, c2m: './dist/index.js' })
  })
  it('begins with data: what it contributes, and where to read on', () => {
    const index = readFileSync(`${ROOT}${folder}/src/index.ts`, 'utf8')
    expect(index).toMatch(/^export const plugin\b.*: C2mPlugin/m)
    expect(index.split('\n').length).toBeLessThan(60)
  })
  it('says in its readme what it does', () => {
    const readme = readFileSync(`${ROOT}${folder}/README.md`, 'utf8')
    expect(readme.split('\n').length).toBeGreaterThan(10)
  })
  it('is tested beside its source, and by the contract', () => {
    const files = readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
    const tests = files.filter((path) => /^(?:src|test)\/.*\.test\.ts$/.test(path))
    const contract = /\b(?:distro|bootloader)Contract\(/
    expect(tests.some((path) => contract.test(readFileSync(`${ROOT}${folder}/${path}`, 'utf8')))).toBe(true)
  })
  it('has the types of the contract for its development only', () => {
    expect(Object.keys(dependencies)).not.toContain('@c2m/plugin-api')
    expect(Object.keys(dependencies)).not.toContain('@c2m/core')
    expect(existsSync(`${ROOT}${folder}/tsconfig.json`)).toBe(true)
  })
})
