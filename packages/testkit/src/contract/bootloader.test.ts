import type { BootloaderPlugin, BootTask, C2mPlugin, Step } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import { bootloaderContract } from './bootloader.js'

/** A loader that is not there, and keeps the contract. */
const GOOD: BootloaderPlugin = {
  kind: 'bootloader',
  id: 'toy',
  summary: 'a toy',
  firmware: ['bios'],
  architectures: ['amd64'],
  supports: ({ architecture }) =>
    architecture === 'amd64' ? { ok: true } : { ok: false, because: 'it is no PC', hint: 'take a PC' },
  partitions: () => [],
  packages: () => ['toy'],
  recognize: ({ bootSector }) => (bootSector[0] === 1 ? 'its code is there' : undefined),
  install: (task) => [menu(task), code(0, 440)],
}

function menu({ kernels, osName }: BootTask): Step {
  const content: Extract<Step, { do: 'write' }>['content'] = async ({ rootfs }) =>
    [osName, ...(await kernels(rootfs)).map(({ version }) => version)].join('\n')
  return { id: 'toy/menu', title: 'write the menu', phase: 'boot', do: 'write', path: '/boot/toy.conf', content }
}

function code(offset: number, length: number): Step {
  const bytes = new Uint8Array(length).fill(1)
  const step = { id: `toy/code-${offset}`, title: 'write boot code', phase: 'assemble', do: 'writeBlocks' } as const
  return { ...step, where: { offset }, bytes: () => bytes }
}

/** Which rules a loader breaks, by the first words of their names. */
async function broken(change: Partial<BootloaderPlugin>): Promise<string[]> {
  const plugin: C2mPlugin = { name: 'toy', apiVersion: 1, contributes: [{ ...GOOD, ...change }] }
  const names: string[] = []
  for (const { name, check } of bootloaderContract(plugin))
    await check().catch(() => names.push(name.split(' ').slice(0, 2).join(' ')))
  return names
}

const plan = (...more: readonly Step[]): Partial<BootloaderPlugin> => ({
  install: (task) => [...GOOD.install(task), ...more],
})
let calls = 0

const VIOLATIONS: readonly (readonly [what: string, rules: readonly string[], change: Partial<BootloaderPlugin>])[] = [
  ['an id that is none', ['is a'], { id: 'Toy Loader' }],
  ['a firmware that is not known', ['is a'], { firmware: ['openfirmware' as 'bios'] }],
  ['a refusal without a hint', ['says of'], { supports: (t, d) => ({ ...GOOD.supports(t, d), hint: '' }) as never }],
  ['a machine that it did not name', ['says of'], { supports: () => ({ ok: true }) }],
  ['an odd partition', ['asks for', 'plans steps', 'runs its', 'writes boot'], partitions(1000, 'boot')],
  ['a root of its own', ['asks for', 'plans steps', 'runs its', 'writes boot'], partitions(1 << 20, 'root')],
  ['UEFI without an ESP', ['asks for'], { firmware: ['uefi'] }],
  ['no answer for package managers', ['has an'], { packages: ({ packageManager }) => PACKAGES[packageManager]! }],
  ['one id twice', ['plans steps'], plan(code(0, 440))],
  [
    'a step in the wrong phase',
    ['plans steps', 'writes boot'],
    plan({ ...code(600, 1), phase: 'boot' } as unknown as Step),
  ],
  ['a relative path', ['plans steps'], plan(write('toy/x', 'etc/x', 'x'))],
  ['the name of a distribution in a file', ['plans steps', 'runs its'], plan(write('toy/x', '/etc/x', 'for Debian'))],
  ['UUIDs in the package phase', ['plans steps'], { install: (task) => [...GOOD.install(task), exec(task.disk.id)] }],
  ['chance', ['plans steps'], { install: (task) => [menu(task), write(`toy/${calls++}`, '/etc/x', 'x')] }],
  ['a file that grows', ['runs its'], plan(growing())],
  ['a menu without kernels', ['runs its'], { install: () => [code(0, 440)] }],
  ['code over the disk signature', ['writes boot'], plan(code(200, 241))],
  ['code over GPT', ['writes boot'], plan(code(512, 1))],
  ['code beyond the disk', ['writes boot'], plan(code(2 ** 40, 1))],
  ['recognising whatever there is', ['recognises nothing'], { recognize: () => 'it is there' }],
]

const PACKAGES: Readonly<Record<string, readonly string[]>> = { apt: ['toy'] }

function partitions(size: number, role: 'boot' | 'root'): Partial<BootloaderPlugin> {
  return { partitions: () => [{ role, size, mountpoint: '/boot' }] }
}

function write(id: string, path: string, content: string): Step {
  return { id, title: 'write a file', phase: 'boot', do: 'write', path, content }
}

function exec(word: string): Step {
  return { id: 'toy/exec', title: 'run a program', phase: 'packages', do: 'exec', argv: ['true', word] }
}

function growing(): Step {
  return {
    ...{ id: 'toy/grow', title: 'add a line', phase: 'boot', do: 'custom' },
    run: async ({ rootfs }) => {
      const size = (await rootfs.stat('etc/log'))?.size ?? 0
      await rootfs.put({ path: 'etc/log', type: 'file', mode: 0o644 }, new Uint8Array(size + 1).fill(65))
    },
  } as const
}

describe('the contract of boot loaders', () => {
  it('is kept by a good one', async () => {
    expect(await broken({})).toEqual([])
  })

  it.each(VIOLATIONS)('finds %s', async (_what, rules, change) => {
    expect(await broken(change)).toEqual(rules)
  })
})
