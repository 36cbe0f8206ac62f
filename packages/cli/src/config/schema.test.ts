import { describe, expect, it } from 'vitest'
import { configSchema, jsonSchema, splitFound } from './schema.js'

describe('the configuration', () => {
  it('has the published JSON schema', async () => {
    await expect(`${JSON.stringify(jsonSchema(), undefined, 2)}\n`).toMatchFileSnapshot(
      '../../schema/c2m.config.schema.json',
    )
  })

  it.each([
    {},
    { plugins: ['./mine', 'c2m-plugin-void'] },
    { overrides: { debian: '@c2m/plugin-debian' } },
    { container2vm: { size: '10G', 'partition-table': 'mbr', 'ssh-key': ['~/.ssh/id.pub'] } },
  ])('takes %j', (value) => {
    expect(configSchema.safeParse(value).success).toBe(true)
  })

  it.each([
    { plugin: [] },
    { plugins: [''] },
    { container2vm: { size: 'big' } },
    { container2vm: { verify: true } },
    [],
  ])('refuses %j', (value) => {
    expect(configSchema.safeParse(value).success).toBe(false)
  })
})

describe('a file that was only found', () => {
  const everything = {
    plugins: ['x'],
    overrides: { a: 'b' },
    container2vm: { ...keysOf('container2vm') },
    vm2container: { ...keysOf('vm2container') },
  }

  it('gives these keys, and a key that does not say so is none of them', () => {
    const { counting, ignored } = splitFound(everything)
    expect(Object.keys(counting.container2vm ?? {}).sort()).toEqual(
      [
        ...[
          'console',
          'esp-size',
          'firmware',
          'hostname',
          'keyboard',
          'locale',
          'package-timeout',
          'partition-table',
          'size',
          'swap',
        ],
        'timezone',
      ].sort(),
    )
    expect(Object.keys(counting.vm2container ?? {}).sort()).toEqual(['clean', 'compress', 'level', 'split-layers'])
    expect(Object.keys(counting).sort()).toEqual(['container2vm', 'vm2container'])
    expect(ignored).toHaveLength(18)
    expect(splitFound({ container2vm: { future: 1 }, more: {} } as never)).toEqual({
      counting: { container2vm: {} },
      ignored: ['container2vm.future', 'more'],
    })
  })

  it('is described to give no others', () => {
    const { properties } = jsonSchema() as { properties: Record<string, Described> }
    for (const key of splitFound(everything).ignored) {
      const [first = '', second] = key.split('.')
      const described = second === undefined ? properties[first] : properties[first]?.properties?.[second]
      expect(described?.description).toContain('--config')
    }
  })
})

interface Described {
  readonly description?: string
  readonly properties?: Record<string, Described>
}

function keysOf(section: 'container2vm' | 'vm2container'): Record<string, unknown> {
  return Object.fromEntries(Object.keys(configSchema.shape[section].unwrap().shape).map((key) => [key, 'x']))
}
