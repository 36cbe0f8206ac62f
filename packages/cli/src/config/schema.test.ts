import { describe, expect, it } from 'vitest'
import { configSchema, jsonSchema } from './schema.js'

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
