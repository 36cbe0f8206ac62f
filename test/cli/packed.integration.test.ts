import type { LoadedPlugin } from '@c2m/core'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { busyboxImage, debianKernel, missingForBusybox } from '../support/busybox.js'
import { debian12 } from '../support/debian.js'
import { builtExample, packExample } from '../support/examples.js'
import { PROGRAM } from '../support/cli.js'
import { CACHE, ROOT } from '../support/paths.js'

/** What a package.json leads to: a path, or paths by condition or name. */
type Targets = string | { readonly [name: string]: Targets } | undefined

function pathsOf(targets: Targets): string[] {
  if (typeof targets === 'string') return [targets.replace('./', '')]
  return Object.values(targets ?? {}).flatMap(pathsOf)
}

describe('the packed program in an empty prefix', () => {
  const folder = mkdtempSync(join(tmpdir(), 'c2m-packed-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  // no environment of the npm that runs the tests
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  const data = { XDG_DATA_HOME: join(folder, 'data'), XDG_CACHE_HOME: join(folder, 'cache'), C2M_CACHE_DIR: CACHE }
  const start = (file: string, args: readonly string[]) =>
    spawnSync(file, args, { encoding: 'utf8', env: { ...env, ...data }, cwd: folder })
  const c2m = (args: readonly string[]) => start(join(folder, 'prefix/bin/c2m'), args)
  const packages = join(folder, 'packages')

  beforeAll(() => {
    mkdirSync(packages)
    execFileSync('npm', ['pack', '--workspaces', '--pack-destination', packages], { cwd: ROOT, env, stdio: 'pipe' })
    const archives = readdirSync(packages).map((name) => join(packages, name))
    const flags = ['--global', '--prefix', join(folder, 'prefix'), '--no-audit', '--no-fund']
    execFileSync('npm', ['install', ...flags, ...archives], { cwd: folder, env, stdio: 'pipe' })
  })

  it('consists of tarballs with a licence, a readme and all that their package.json names, and without tests', () => {
    for (const name of readdirSync(packages)) {
      const tar = (...args: string[]) =>
        execFileSync('tar', ['-f', join(packages, name), ...args], { encoding: 'utf8' })
      const files = tar('-tz')
        .trim()
        .split('\n')
        .map((path) => path.replace('package/', ''))
      const { exports, bin, c2m } = JSON.parse(tar('-xzO', 'package/package.json')) as Record<string, Targets>
      const named = [exports, bin, c2m].flatMap(pathsOf)
      expect(files, name).toEqual(expect.arrayContaining(['LICENSE', 'README.md', ...named]))
      const unwanted = files.filter((path) => /(?:^|\/)(?:src|testing)\/|\.test\.|tsbuildinfo/.test(path))
      expect(unwanted, name).toEqual([])
    }
    // what is only in tarballs
    expect(['LICENSE', 'oclif.manifest.json'].filter((one) => existsSync(join(ROOT, 'packages/cli', one)))).toEqual([])
  })

  it('starts by its list of commands, which are those of the working copy', () => {
    const installed = join(folder, 'prefix/lib/node_modules/@c2m/cli')
    expect(existsSync(join(installed, 'oclif.manifest.json'))).toBe(true)
    for (const args of [['--help'], ['container2vm', '--help'], ['cache', 'prune', '--help'], ['inspect'], ['no']]) {
      const [here, there] = [start(process.execPath, [PROGRAM, ...args]), c2m(args)].map(
        ({ stdout, stderr, status }) => ({ stdout, stderr, status }),
      )
      expect(there).toEqual(here)
    }
  })

  it('is a module, whose function runs it', () => {
    const script = `import('@c2m/cli').then(({ run }) => console.log(typeof run))`
    const installed = join(folder, 'prefix/lib/node_modules/@c2m/cli')
    const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env, cwd: installed })
    expect(stdout).toBe('function\n')
  })

  it('runs, with its plugins', () => {
    const { stdout, status } = c2m(['plugins', 'list'])
    expect(status).toBe(0)
    for (const id of ['distro debian', 'bootloader grub-pc', 'bootloader grub-efi']) expect(stdout).toContain(id)
    expect(c2m(['--version']).stdout).toMatch(/^@c2m\/cli\/\d\S* \w+-\w+ node-v[\d.]+\n$/)
  })

  it('links and installs a plugin by someone else', () => {
    const plugin = join(folder, 'c2m-plugin-void')
    mkdirSync(plugin)
    const manifest = { name: 'c2m-plugin-void', version: '1.2.3', type: 'module', oclif: {}, c2m: './index.js' }
    writeFileSync(
      join(plugin, 'package.json'),
      JSON.stringify({ ...manifest, exports: { '.': { default: './index.js' } } }),
    )
    writeFileSync(
      join(plugin, 'index.js'),
      `export default { name: 'c2m-plugin-void', apiVersion: 1, contributes: [{
        kind: 'distro', id: 'void', summary: 'nothing', detect: async () => undefined, traits: () => ({}),
        toMachine: () => [], install: () => [], kernels: async () => [] }] }`,
    )
    const linked = c2m(['plugins', 'link', plugin])
    expect(`${linked.stdout}${linked.stderr}`).not.toContain('Error')
    expect(c2m(['plugins', 'list']).stdout).toContain('c2m-plugin-void 1.2.3')
    c2m(['plugins', 'uninstall', 'c2m-plugin-void'])
    expect(c2m(['plugins', 'list']).stdout).not.toContain('c2m-plugin-void')

    const archive = execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: plugin, env, encoding: 'utf8' })
    const installed = c2m(['plugins', 'install', `file:${join(folder, archive.trim().split('\n').at(-1) ?? '')}`])
    expect(`${installed.stdout}${installed.stderr}`).not.toContain('Error')
    expect(c2m(['plugins', 'list']).stdout).toContain('c2m-plugin-void 1.2.3')
  })

  it('converts with the boot loader plugin of examples/, installed from its package and linked', async () => {
    const name = 'c2m-plugin-systemd-boot'
    const archive = packExample(name, folder)
    const origin = () => {
      const { plugins } = JSON.parse(c2m(['inspect', '--plugins', '--json']).stdout) as { plugins: LoadedPlugin[] }
      return plugins.find(({ packageName }) => packageName === name)?.origin
    }
    expect(c2m(['plugins', 'install', `file:${archive}`]).status).toBe(0)
    expect(origin()).toBe('installed')
    const convert = ['container2vm', `oci:${await debian12()}`, '--bootloader', 'systemd-boot']
    const refused = c2m([...convert, '--partition-table', 'mbr', '--dry-run'])
    expect(refused.status).toBe(2)
    expect(refused.stderr).toMatch(
      /systemd-boot starts under UEFI from a GPT disk, not from MBR .*--partition-table gpt/,
    )

    expect(c2m(['plugins', 'uninstall', name]).status).toBe(0)
    expect(origin()).toBeUndefined()
    expect(c2m(['plugins', 'link', builtExample(name)]).status).toBe(0)
    expect(origin()).toBe('linked')
    const disk = join(folder, 'disk.img')
    const { status, stderr } = c2m([...convert, '-o', disk])
    expect({ status, stderr }).toMatchObject({ status: 0 })
    const onEsp = (program: string, path: string) =>
      execFileSync(program, ['-i', `${disk}@@1M`, `::${path}`, ...(program === 'mcopy' ? ['-'] : [])])
    expect(onEsp('mcopy', '/EFI/BOOT/BOOTX64.EFI').toString('latin1', 0, 2)).toBe('MZ')
    expect(onEsp('mdir', '/loader/entries').toString()).toMatch(/debian-\d\S+\.conf/)
  })

  it.skipIf(missingForBusybox() !== undefined)(
    'makes a machine with the distro plugin of examples/, installed from its package and linked, and a kernel from a file',
    async () => {
      const name = 'c2m-plugin-busybox'
      const image = `oci:${busyboxImage('musl')}`
      expect(c2m(['inspect', image]).stdout).toContain('no /etc/os-release')
      expect(c2m(['plugins', 'link', builtExample(name)]).status).toBe(0)
      expect(c2m(['inspect', image]).stdout).toContain(name)
      expect(c2m(['plugins', 'uninstall', name]).status).toBe(0)
      expect(c2m(['plugins', 'install', `file:${packExample(name, folder)}`]).status).toBe(0)

      const disk = join(folder, 'tiny.img')
      const convert = ['container2vm', image, '-o', disk, '--bootloader', 'extlinux', '--partition-table', 'mbr']
      const without = c2m([...convert, '--dry-run'])
      expect(without.stderr).toMatch(/no kernel packages[^]*--kernel FILE[^]*C2M_NO_KERNEL/)
      const { status, stderr } = c2m([...convert, '--kernel', await debianKernel()])
      expect({ status, stderr }).toMatchObject({ status: 0 })
      execFileSync('e2fsck', ['-fn', `${disk}?offset=${2048 * 512}`], { stdio: 'pipe' })

      const refused = c2m(['container2vm', `oci:${await debian12()}`, '--kernel', await debianKernel(), '--dry-run'])
      expect(refused.status).toBe(2)
      expect(refused.stderr).toMatch(/take no kernel from a file[^]*C2M_KERNEL_NOT_TAKEN/)
    },
  )
})
