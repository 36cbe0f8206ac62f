import type { BootloaderPlugin, BootTask, Step } from '@c2m/plugin-api'
import { bootloaderContract, bootTask, diskPlan, readFileOf, stepContext, treeOf, type TreeFiles } from '@c2m/testkit'
import { describe, expect, it } from 'vitest'
import plugin from './index.js'
import { findLoader } from './loader.js'

const loader = plugin.contributes[0] as BootloaderPlugin
const disk = diskPlan('gpt', loader.partitions({ table: 'gpt', architecture: 'amd64', physical: false }))
const task = bootTask({ members: ['systemd-boot'], disk })
const PROGRAMS = {
  'usr/lib/systemd/boot/efi/systemd-bootx64.efi': 'MZ x64',
  'usr/lib/systemd/boot/efi/systemd-bootaa64.efi': 'MZ aa64',
}
const KERNEL = { 'boot/vmlinuz-6.1': 'MZ kernel', 'boot/initrd.img-6.1': 'initrd' }

describe('the contract', () => {
  it.each(bootloaderContract(plugin, { files: PROGRAMS }))('$name', ({ check }) => check())
})

describe('the plugin', () => {
  it('refuses MBR, and says what would work', () => {
    const target = { table: 'mbr', architecture: 'amd64', physical: false } as const
    const verdict = loader.supports(target, { packageManager: 'apt' } as never)
    expect(verdict).toMatchObject({ ok: false, hint: expect.stringContaining('--partition-table gpt') as string })
  })

  it('takes its program from a package where it knows the name', () => {
    expect(loader.packages(task)).toEqual(['systemd-boot-efi'])
    expect(loader.packages({ ...task, packageManager: 'none' })).toEqual([])
  })

  it('hooks to what it knows only', () => {
    const links = (packageManager: string) =>
      loader.install({ ...task, packageManager }).filter((step) => step.do === 'symlink')
    expect(links('apt')).toHaveLength(3)
    expect(links('none')).toEqual([])
  })

  it('fails early on a disk without an ESP, and for a command line that is none', () => {
    const on = (more: Partial<BootTask>) => () => loader.install({ ...task, ...more })
    expect(on({ disk: diskPlan('gpt') })).toThrow(expect.objectContaining({ code: 'C2M_SYSTEMD_BOOT_NO_ESP' }))
    expect(on({ cmdline: ['a\nb'] })).toThrow(expect.objectContaining({ code: 'C2M_SYSTEMD_BOOT_CMDLINE' }))
    expect(on({ architecture: 'toString' })).toThrow(expect.objectContaining({ code: 'C2M_SYSTEMD_BOOT_ARCHITECTURE' }))
  })
})

describe('the EFI system partition', () => {
  it('holds program, settings, kernels and entries', async () => {
    const esp = await installed({ ...PROGRAMS, ...KERNEL, 'boot/vmlinuz-5.10': 'MZ old' })
    expect(Object.keys(esp)).toEqual([
      ...['EFI/BOOT/BOOTX64.EFI', 'EFI/systemd/systemd-bootx64.efi'],
      ...['example/5.10/linux', 'example/6.1/initrd', 'example/6.1/linux'],
      ...['loader/entries/example-5.10.conf', 'loader/entries/example-6.1.conf', 'loader/loader.conf'],
    ])
    expect(esp['EFI/BOOT/BOOTX64.EFI']).toBe('MZ x64')
    expect(esp['example/6.1/linux']).toBe('MZ kernel')
    expect(esp['loader/loader.conf']).toContain('timeout 5\n')
    const options = `root=PARTUUID=${disk.partitions.at(-1)?.partuuid} ro console=tty0 console=ttyS0,115200n8`
    const common = (version: string) => `title Example Linux 1\nversion ${version}\nsort-key example\n`
    expect(esp['loader/entries/example-6.1.conf']).toBe(
      `${common('6.1')}linux /example/6.1/linux\ninitrd /example/6.1/initrd\noptions ${options}\n`,
    )
    expect(esp['loader/entries/example-5.10.conf']).toBe(
      `${common('5.10')}linux /example/5.10/linux\noptions ${options}\n`,
    )
  })

  it('has nothing of a kernel that FAT cannot name, and does without any other not at all', async () => {
    const odd = { 'boot/vmlinuz-5:1?': 'MZ' }
    const warnings: string[] = []
    const esp = await installed({ ...PROGRAMS, ...KERNEL, ...odd }, (text) => warnings.push(text))
    expect(Object.keys(esp).filter((path) => path.includes('5'))).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('"5:1?"')])
    await expect(installed({ ...PROGRAMS, ...odd })).rejects.toMatchObject({ code: 'C2M_SYSTEMD_BOOT_NO_KERNEL' })
  })
})

describe('the program', () => {
  it("is the guest's, also behind a link", async () => {
    const tree = await treeOf({ ...PROGRAMS, 'usr/lib/systemd': '-> ../share/systemd' })
    await tree.put(
      { path: 'usr/share/systemd/boot/efi/systemd-bootx64.efi', type: 'file', mode: 0o644 },
      Buffer.from('MZ linked'),
    )
    expect(Buffer.from(await findLoader(tree, 'x64', '/nonexistent')).toString()).toBe('MZ linked')
  })

  it("is else this host's, else an error that says what to install", async () => {
    await expect(findLoader(await treeOf(), 'x64', '/nonexistent')).rejects.toMatchObject({
      code: 'C2M_SYSTEMD_BOOT_MISSING',
      exitCode: 3,
      hint: expect.stringContaining('apt-get install systemd-boot-efi') as string,
    })
  })

  it('is a program', async () => {
    const tree = await treeOf({ 'usr/lib/systemd/boot/efi/systemd-bootx64.efi': '#!/bin/sh' })
    await expect(findLoader(tree, 'x64')).rejects.toMatchObject({ code: 'C2M_SYSTEMD_BOOT_PROGRAM' })
  })
})

describe('recognize', () => {
  const look = async (files: TreeFiles) =>
    loader.recognize?.({ bootSector: new Uint8Array(512), rootfs: await treeOf(files) })

  it('finds the program, or what keeps it up to date', async () => {
    expect(await look({ 'efi/EFI/systemd/systemd-bootx64.efi': 'MZ' })).toContain(
      '/efi/EFI/systemd/systemd-bootx64.efi',
    )
    expect(await look({ 'usr/sbin/c2m-update-systemd-boot': '#!/bin/sh' })).toContain('c2m-update-systemd-boot')
    expect(await look({ 'boot/vmlinuz-1': 'MZ' })).toBeUndefined()
  })
})

/** The files on the ESP after all steps, by path. */
async function installed(
  files: TreeFiles,
  warn: (message: string) => void = () => undefined,
): Promise<Record<string, string>> {
  const tree = await treeOf(files)
  const context = stepContext(tree, disk, { warn })
  for (const step of loader.install(task)) await runStep(step, context)
  const found: Record<string, string> = {}
  for await (const { path, type } of tree.walk('boot/efi'))
    if (type === 'file') found[path.slice('boot/efi/'.length)] = (await readFileOf(tree, path)).toString()
  return found
}

async function runStep(step: Step, context: ReturnType<typeof stepContext>): Promise<void> {
  if (step.do === 'custom') await step.run(context)
  if (step.do !== 'write') return
  await context.rootfs.put({ path: step.path.slice(1), type: 'file', mode: 0o644 }, Buffer.from(step.content as string))
}
