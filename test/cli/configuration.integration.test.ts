import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { ROOT } from '../support/paths.js'

interface PrintedPlan {
  readonly bootloaders: readonly { readonly id: string }[]
  readonly disk: { readonly table: string; readonly partitions: readonly { readonly role: string }[] }
  readonly packages: readonly string[]
}

describe('c2m.config.yaml', () => {
  let cwd = ''
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'c2m-config-'))
    const lines = ['container2vm:', '  bootloader: grub-pc', '  partition-table: mbr', '  swap: 64M', '  package: [jq]']
    await writeFile(join(cwd, 'c2m.config.yaml'), `${lines.join('\n')}\n`)
  })
  afterAll(() => rm(cwd, { recursive: true, force: true }))

  async function plan(...flags: string[]): Promise<PrintedPlan> {
    const image = `oci:${await debian12()}`
    const { stdout, stderr } = await c2m(['container2vm', image, '--dry-run', '--json', ...flags], { cwd })
    expect(stderr).not.toContain('error')
    return JSON.parse(stdout) as PrintedPlan
  }

  it('gives container2vm its defaults', async () => {
    const { bootloaders, disk, packages } = await plan()
    expect(bootloaders.map(({ id }) => id)).toEqual(['grub-pc'])
    expect(disk.table).toBe('mbr')
    expect(disk.partitions.map(({ role }) => role)).toEqual(['swap', 'root'])
    expect(packages).toContain('jq')
  })

  it('gives way to flags', async () => {
    const { bootloaders, disk } = await plan('--bootloader', 'grub-efi', '--partition-table', 'gpt')
    expect(bootloaders.map(({ id }) => id)).toEqual(['grub-efi'])
    expect(disk.table).toBe('gpt')
  })

  it('may name a plugin that is there already: it is one plugin', async () => {
    const file = join(cwd, 'twice.yaml')
    await writeFile(file, `plugins: [${ROOT}plugins/debian, ${ROOT}plugins/debian]\n`)
    const { bootloaders } = await plan('--config', file, '--bootloader', 'grub-pc')
    expect(bootloaders.map(({ id }) => id)).toEqual(['grub-pc'])
    const { stdout, stderr } = await c2m(['inspect', '--plugins', '--json', '--config', file], { cwd })
    expect(stdout.split('"@c2m/plugin-debian"')).toHaveLength(2)
    expect(stderr).not.toContain('contributed by')
  })

  it('names a key that is not known', async () => {
    const file = join(cwd, 'wrong.yaml')
    await writeFile(file, 'container2vm: { bootlaoder: grub }\n')
    const { code, stderr } = await c2m(['container2vm', 'x', '--config', file], { cwd })
    expect(stderr).toContain('C2M_CONFIG')
    expect(stderr).toContain('bootlaoder')
    expect(code).toBe(2)
  })
})
