import { findFault } from '@c2m/core'
import type { BootloaderPlugin, C2mPlugin } from '@c2m/plugin-api'
import assert from 'node:assert/strict'
import { bootTask, distroTraits } from '../fixtures/boot-task.js'
import { treeOf, type TreeFiles } from '../fixtures/tree.js'
import { checkBlocks } from './bootloader-blocks.js'
import { checkPlan } from './bootloader-plan.js'
import { checkRun } from './bootloader-run.js'
import { acceptedSetups, ALL_TARGETS, hasPartitions } from './bootloader-setups.js'
import type { ContractCheck } from './check.js'

export interface BootloaderContractOptions {
  /** Of the contribution, when the plugin has several boot loaders. */
  readonly id?: string
  /** Package managers that some distribution's traits name; default: apt, apk and one that nobody knows. */
  readonly packageManagers?: readonly string[]
  /** What packages and commands of the package phase leave in the guest and the plugin's steps read, by path. */
  readonly files?: TreeFiles
}

/**
 * What c2m relies on in a boot loader plugin, and no type can say. Nothing is installed or booted: steps are planned for
 * every target that the plugin accepts, and run on a tree in memory that holds two kernels and `files`.
 */
export function bootloaderContract(
  plugin: C2mPlugin,
  options: BootloaderContractOptions = {},
): readonly ContractCheck[] {
  const loader = () => bootloaderOf(plugin, options.id)
  const setups = () => acceptedSetups(loader(), options.packageManagers ?? ['apt', 'apk', 'nobody-knows-it'])
  return [
    { name: 'is a plugin by its shape, of a known API version', check: async () => checkShape(plugin, loader()) },
    {
      name: 'says of every table and machine whether it boots it, and if not, why and what to do',
      check: async () => {
        for (const target of ALL_TARGETS) checkVerdict(loader(), target)
        assert.ok(setups().length > 0, 'it accepts no target at all')
      },
    },
    {
      name: 'asks for partitions that the disk can have',
      check: async () => {
        for (const { target } of setups()) hasPartitions(loader(), target)
      },
    },
    {
      name: 'has an answer for package managers that it does not know',
      check: async () => {
        for (const packageManager of ['apt', 'nobody-knows-it', 'constructor', '__proto__', '']) {
          const names = loader().packages({ ...bootTask({ members: [loader().id] }), packageManager })
          for (const name of names) assert.match(name, /^[A-Za-z0-9@][A-Za-z0-9+._:@/=-]*$/, `package ${name}`)
        }
      },
    },
    ...[
      { name: 'plans steps of known phases, with ids of their own', check: checkPlan },
      { name: 'runs its steps: the same twice, also over each other, with every kernel in its menu', check: checkRun },
      { name: 'writes boot code where there is room, and not over the partition table', check: checkBlocks },
    ].map(({ name, check }) => ({
      name,
      check: async () => {
        for (const setup of setups()) await check(loader(), setup, options.files ?? {})
      },
    })),
    {
      name: 'recognises nothing on an empty disk',
      check: async () => {
        const found = await loader().recognize?.({ bootSector: new Uint8Array(512), rootfs: await treeOf() })
        assert.equal(found, undefined)
      },
    },
  ]
}

function bootloaderOf(plugin: C2mPlugin, id: string | undefined): BootloaderPlugin {
  const found = plugin.contributes.find((one) => one.kind === 'bootloader' && (id === undefined || one.id === id))
  if (found?.kind === 'bootloader') return found
  throw new Error(`${plugin.name} contributes no boot loader ${id ?? ''}`)
}

function checkShape(plugin: C2mPlugin, { id, family, firmware, menus = [] }: BootloaderPlugin): void {
  assert.equal(findFault(plugin), undefined)
  assert.notEqual(family, id, 'a family and one of its members cannot have one name')
  for (const one of firmware) assert.ok(['bios', 'uefi'].includes(one), `firmware ${one} is not known`)
  for (const path of menus) assert.doesNotMatch(path, /^\/|\/$|\.\./, `menu ${path} is no path without leading slash`)
}

function checkVerdict(loader: BootloaderPlugin, target: (typeof ALL_TARGETS)[number]): void {
  const verdict = loader.supports(target, distroTraits())
  const known = loader.architectures.includes(target.architecture)
  assert.ok(known || !verdict.ok, `it accepts ${target.architecture}, which is none of its architectures`)
  if (verdict.ok) return
  for (const [what, text] of Object.entries({ because: verdict.because, hint: verdict.hint }))
    assert.match(text, /^\S[^\n]{3,}$/, `"${what}" of its refusal of ${target.table} is ${JSON.stringify(text)}`)
}
