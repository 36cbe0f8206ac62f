import type { C2mPlugin, DistroPlugin, DistroTraits, MachineFindings, Step } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import { distroContract } from './distro.js'

const TRAITS: DistroTraits = {
  init: 'toy',
  packageManager: 'toy',
  kernels: [],
  takesKernel: true,
  bootloaders: ['any'],
  ext4Features: ['extent'],
  packageCaches: [],
}

const FINDINGS: MachineFindings = {
  cleaning: [{ id: 'kernel', summary: 'kernels', byDefault: true, remove: ['/boot/**'] }],
  services: [],
  service: () => Promise.reject(new Error('there is none')),
  inits: [],
  packageFiles: async () => new Set<string>(),
}

/** A distro that is not there, and keeps the contract. */
const GOOD: DistroPlugin = {
  kind: 'distro',
  id: 'toy',
  summary: 'a toy',
  detect: async (os) => (os.id === 'toy' ? { distance: 0, os } : undefined),
  traits: () => TRAITS,
  toMachine: ({ machine, givenKernel }) => [
    write('toy/hostname', '/etc/hostname', machine.hostname),
    write('toy/kernel', `/boot/linux-${givenKernel?.release}`, 'MZ'),
  ],
  install: () => [],
  kernels: async (rootfs) =>
    (await rootfs.list('boot'))
      .map((name) => ({ version: name.slice('linux-'.length), kernel: `/boot/${name}` }))
      .reverse(),
  toImage: async () => FINDINGS,
}

function write(id: string, path: string, content: Extract<Step, { do: 'write' }>['content']): Step {
  return { id, title: `write ${path}`, phase: 'configure', do: 'write', path, content }
}

function exec(env: Readonly<Record<string, string>>): Step {
  return { id: 'toy/exec', title: 'run something', phase: 'packages', do: 'exec', argv: ['true'], env }
}

/** Which rules a distro breaks, by the first words of their names. */
async function broken(change: Partial<DistroPlugin>): Promise<string[]> {
  const plugin: C2mPlugin = { name: 'toy', apiVersion: 1, contributes: [{ ...GOOD, ...change }] }
  const contract = distroContract(plugin, {
    trees: { toy: { 'etc/os-release': 'ID=toy\n' } },
    foreign: { 'a plaything': { 'etc/os-release': 'ID=plaything\n' } },
    kernels: { files: { 'boot/linux-1': 'x', 'boot/linux-2': 'x' }, newestFirst: ['2', '1'] },
  })
  const names: string[] = []
  for (const { name, check } of contract) await check().catch(() => names.push(name.split(' ').slice(0, 2).join(' ')))
  return names
}

const traits = (more: Partial<DistroTraits>): Partial<DistroPlugin> => ({ traits: () => ({ ...TRAITS, ...more }) })
const findings = (more: Partial<MachineFindings>): Partial<DistroPlugin> => ({
  toImage: async () => ({ ...FINDINGS, ...more }),
})
const more = (...steps: readonly Step[]): Partial<DistroPlugin> => ({
  toMachine: async (task) => [...(await GOOD.toMachine(task)), ...steps],
})
let calls = 0

const VIOLATIONS: readonly (readonly [what: string, rules: readonly string[], change: Partial<DistroPlugin>])[] = [
  ['a summary that is none', ['is a'], { summary: 1 as never }],
  ['every tree taken', ['leaves the'], { detect: async (os) => ({ distance: 0, os }) }],
  [
    'a tree that is written to',
    ['knows its'],
    {
      detect: async (os, rootfs) => {
        if (os.id !== 'toy') return undefined
        await (rootfs as unknown as { remove(path: string): Promise<void> }).remove('etc/os-release')
        return { distance: 0, os }
      },
    },
  ],
  ['no kernel at all', ['has kernels'], { ...traits({ takesKernel: false }), toMachine: () => [] }],
  ['a flavour without packages', ['has kernels'], traits({ kernels: [{ id: 'x', packages: [] }] })],
  ['a flavour that looks like a path', ['has kernels'], traits({ kernels: [{ id: 'a/b', packages: ['x'] }] })],
  ['one id twice', ['plans steps'], more(write('toy/hostname', '/etc/x', 'x'))],
  ['a step in the wrong phase', ['plans steps'], more({ ...exec({}), phase: 'boot' } as unknown as Step)],
  [
    'packages that follow the host name',
    ['plans steps'],
    { install: (_packages, { machine }) => [exec({ NAME: machine.hostname })] },
  ],
  [
    'a secret in the plan',
    ['plans steps'],
    { toMachine: ({ machine }) => [write('toy/shadow', '/etc/shadow', `root:${machine.rootPasswordHash?.reveal()}`)] },
  ],
  [
    'a file that grows',
    ['runs its'],
    more(
      write('toy/log', '/etc/log', async ({ rootfs }) => `${'x'.repeat((await rootfs.stat('etc/log'))?.size ?? 0)}x`),
    ),
  ],
  ['another plan each time', ['plans steps'], { toMachine: () => [write(`toy/${calls++}`, '/etc/x', 'x')] }],
  ['chance', ['runs its'], more(write('toy/chance', '/etc/chance', () => String(calls++)))],
  ['a kernel that is not the given one', ['runs its'], more(write('toy/x', '/boot/linux-6.1.0-9-example', 'no'))],
  [
    'the oldest kernel first',
    ['finds kernels,'],
    { kernels: async (tree) => [...(await GOOD.kernels(tree))].reverse() },
  ],
  ['a rule twice', ['says for'], findings({ cleaning: [...FINDINGS.cleaning, ...FINDINGS.cleaning] })],
  ['no rule', ['says for'], findings({ cleaning: [] })],
  [
    'a rule that takes too much',
    ['says for'],
    findings({ cleaning: [{ id: 'all', summary: 'everything', byDefault: true, remove: ['/**'] }] }),
  ],
]

describe("a distro plugin's contract", () => {
  it('is kept by a good one', async () => expect(await broken({})).toEqual([]))
  it.each(VIOLATIONS)('finds %s', async (_what, rules, change) => {
    expect(await broken(change)).toEqual(expect.arrayContaining([...rules]))
  })
})
