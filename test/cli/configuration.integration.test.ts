import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
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
  readonly sandbox: string
  readonly sshKeys: readonly object[]
  readonly warnings: readonly string[]
  readonly configuration?: { readonly file: string; readonly keys: readonly string[] }
}

describe('c2m.config.yaml', () => {
  let cwd = ''
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'c2m-config-'))
    const lines = [
      'container2vm:',
      '  bootloader: grub-efi',
      '  partition-table: mbr',
      '  swap: 64M',
      '  package: [jq]',
    ]
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
    const file = join(cwd, 'c2m.config.yaml')
    const { bootloaders, disk, packages, configuration } = await plan('--bootloader', 'grub-pc')
    expect(bootloaders.map(({ id }) => id)).toEqual(['grub-pc'])
    expect(disk.table).toBe('mbr')
    expect(disk.partitions.map(({ role }) => role)).toEqual(['swap', 'root'])
    expect(packages).not.toContain('jq')
    expect(configuration).toEqual({ file, keys: ['container2vm.partition-table', 'container2vm.swap'] })
    const named = await plan('--config', file, '--swap', '32M', '--partition-table', 'gpt')
    expect(named.bootloaders.map(({ id }) => id)).toEqual(['grub-efi'])
    expect(named.packages).toContain('jq')
    expect(named.configuration).toEqual({ file, keys: ['container2vm.bootloader', 'container2vm.package'] })
  })

  it('that was only found says in the plan what came from it, and which keys do not count', async () => {
    const image = `oci:${await debian12()}`
    const { stdout, stderr } = await c2m(['container2vm', image, '--dry-run'], { cwd })
    const used = `configuration ${cwd}/c2m.config.yaml: container2vm.partition-table, container2vm.swap\n`
    expect(stdout).toContain(used)
    expect(stderr).toContain(used)
    expect(stderr).toContain('warning: the keys container2vm.bootloader, container2vm.package of ')
    expect(stdout).toContain('\nsandbox     userns\n')
  })

  it('is not used in a directory that everybody can write, and runs nothing there', async () => {
    const open = join(cwd, 'open')
    await mkdir(join(open, '.config'), { recursive: true })
    await chmod(open, 0o1777)
    const marker = join(cwd, 'ran')
    const code = `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(marker)}, '')\nexport default {}\n`
    for (const name of ['evil.mjs', '.config/config.mjs', '.config/config.js']) await writeFile(join(open, name), code)
    await writeFile(join(open, 'c2m.config.yaml'), '$import: ./evil.mjs\n')
    const { stderr } = await c2m(['inspect', 'tarball:missing.tar'], { cwd: open })
    expect(stderr).toContain(`warning: ${open}/c2m.config.yaml is not used: everybody can write ${open}`)
    expect(stderr).toContain('(C2M_FILE_ENOENT)')
    expect(existsSync(marker)).toBe(false)
  })

  it('with the sandbox root has a warning, whose key it is, and what the key is', async () => {
    const file = join(cwd, 'root.yaml')
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHfVIA4fKvW+cY/mb1TEZnY5JebZfO2P/D6zeC5QCo6L alice@example'
    await writeFile(join(cwd, 'key.pub'), key)
    await writeFile(file, 'container2vm: { sandbox: root, ssh-key: [key.pub] }\n')
    const { sandbox, sshKeys, warnings } = await plan('--config', file)
    expect(sandbox).toBe('root')
    expect(warnings.join('\n')).toContain("this host's root")
    expect(sshKeys).toEqual([
      {
        fingerprint: 'SHA256:FBp31YiIGXBv630uF5tog1LMeG2XzC5PvAwfCRHGU08',
        type: 'ssh-ed25519',
        comment: 'alice@example',
      },
    ])
  })

  it('gives way to flags', async () => {
    const { disk } = await plan('--partition-table', 'gpt')
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
