import { findFault } from '@c2m/core'
import { parseOsRelease } from '@c2m/linux'
import type { C2mPlugin, DistroPlugin, DistroTraits, GivenKernel, RootfsEdit } from '@c2m/plugin-api'
import assert from 'node:assert/strict'
import { machineTask } from '../fixtures/machine-task.js'
import { listTree, treeOf, type TreeFiles } from '../fixtures/tree.js'
import type { ContractCheck } from './check.js'
import { checkFindings } from './distro-findings.js'
import { checkPlan, checkRun } from './distro-plan.js'

export interface DistroContractOptions {
  /** Of the contribution, when the plugin has several distros. */
  readonly id?: string
  /** Trees of its images, by names for messages: what it looks at, and what packages would leave for its steps. */
  readonly trees: Readonly<Record<string, TreeFiles>>
  /** Trees that are others', besides those that the contract has of its own. */
  readonly foreign?: Readonly<Record<string, TreeFiles>>
  /** A tree with kernels, and their versions. */
  readonly kernels: { readonly files: TreeFiles; readonly newestFirst: readonly string[] }
  /** GOARCH; default: amd64. */
  readonly architecture?: string
  /** For a distro that takes one; default: one without modules. */
  readonly givenKernel?: GivenKernel
}

/** One of the distro's trees, with what the checks need to know. */
export interface DistroCase {
  readonly distro: DistroPlugin
  readonly where: string
  readonly files: TreeFiles
  readonly architecture: string
  readonly givenKernel: GivenKernel
}

const KERNEL: GivenKernel = {
  release: '6.1.0-9-example',
  image: {
    size: 2,
    async *open() {
      yield { offset: 0, data: Buffer.from('MZ') }
    },
  },
}

/** What no distro's plugin may take for its own. */
const NOBODYS: Readonly<Record<string, TreeFiles>> = {
  'an empty tree': {},
  'an empty folder for programs': { 'usr/bin/.keep': '', 'etc/hostname': 'x\n' },
  'a distribution that there is not': {
    'etc/os-release': 'ID=nobody-knows-it\nID_LIKE="neither-this one"\nPRETTY_NAME="Nobody 1"\nVERSION_ID=1\n',
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  },
}

/**
 * What c2m relies on in a distro plugin, and no type can say. Nothing is installed or booted: machines are planned from
 * trees in memory, and the steps that edit a tree are run on them.
 */
export function distroContract(plugin: C2mPlugin, options: DistroContractOptions): readonly ContractCheck[] {
  const distro = () => distroOf(plugin, options.id)
  const { architecture = 'amd64', givenKernel = KERNEL } = options
  const cases = () =>
    Object.entries(options.trees).map(([where, files]): DistroCase => ({
      distro: distro(),
      where,
      files,
      architecture,
      givenKernel,
    }))
  const each = (name: string, check: (one: DistroCase) => Promise<void>): ContractCheck => ({
    name,
    check: async () => {
      assert.ok(cases().length > 0, 'the contract was given no tree')
      for (const one of cases()) await check(one)
    },
  })
  return [
    {
      name: 'is a plugin by its shape, of a known API version',
      check: async () => assert.equal(findFault(plugin), undefined, String(distro().id)),
    },
    each('knows its trees, by reading only', checkDetected),
    {
      name: 'leaves the trees of others alone',
      check: async () => {
        for (const [where, files] of Object.entries({ ...NOBODYS, ...options.foreign }))
          await checkForeign(distro(), where, files)
      },
    },
    each('has kernels with packages, or takes one that is given', checkTraits),
    each('plans steps of known phases, with ids of their own and no secret in them', checkPlan),
    each('runs its steps: the same twice, also over each other, with the given kernel in its place', checkRun),
    {
      name: 'finds kernels, newest first, by reading only',
      check: async () => {
        const { files, newestFirst } = options.kernels
        const found = await readingOnly(files, 'kernels', (tree) => distro().kernels(tree))
        assert.deepEqual(
          found.map(({ version }) => version),
          newestFirst,
        )
        for (const { kernel, initrd } of found)
          for (const path of [kernel, initrd ?? '/']) assert.match(path, /^\//, `${path} is not absolute`)
        assert.deepEqual(await distro().kernels(await treeOf()), [], 'it finds kernels in an empty tree')
      },
    },
    each('says for the way back what a machine alone needs, and no more', checkFindings),
  ]
}

function distroOf(plugin: C2mPlugin, id: string | undefined): DistroPlugin {
  const found = plugin.contributes.find((one) => one.kind === 'distro' && (id === undefined || one.id === id))
  if (found?.kind === 'distro') return found
  throw new Error(`${plugin.name} contributes no distro ${id ?? ''}`)
}

async function checkDetected({ distro, where, files, architecture }: DistroCase): Promise<void> {
  const { match } = await readingOnly(files, where, (tree) => machineTask(distro, tree, { architecture }))
  assert.ok(Number.isInteger(match.distance) && match.distance >= 0, `${where}: the distance is ${match.distance}`)
  assert.notEqual(match.os.prettyName, '', `${where}: it has no name`)
}

async function checkForeign(distro: DistroPlugin, where: string, files: TreeFiles): Promise<void> {
  const text = files['etc/os-release']
  const os = parseOsRelease(typeof text === 'string' ? text : '')
  assert.equal(await readingOnly(files, where, (tree) => distro.detect(os, tree)), undefined, `it takes ${where}`)
}

async function checkTraits({ distro, where, files, architecture }: DistroCase): Promise<void> {
  for (const target of ['vm', 'physical'] as const) {
    const { traits } = await machineTask(distro, await treeOf(files), { architecture, target })
    checkKernels(traits, `${where}, ${target}`)
    assert.ok(traits.bootloaders.length > 0, `${where}: it names no boot loader`)
    for (const path of traits.packageCaches) assert.match(path, /^\/./, `${where}: the cache ${path} is not absolute`)
    for (const feature of traits.ext4Features)
      assert.match(feature, /^[0-9a-z_]+$/, `${where}: ${feature} is no name of mke2fs's`)
  }
}

function checkKernels({ kernels, takesKernel }: DistroTraits, where: string): void {
  assert.ok(kernels.length > 0 || takesKernel === true, `${where}: it has no kernel and takes none`)
  const ids = kernels.map(({ id }) => id)
  assert.deepEqual([...new Set(ids)], ids, `${where}: two kernel flavours have one id`)
  for (const { id, packages } of kernels) {
    // anything with a slash is the path of a kernel image
    assert.match(id, /^[A-Za-z0-9][A-Za-z0-9._+-]*$/, `${where}: no flavour can be called ${JSON.stringify(id)}`)
    assert.ok(packages.length > 0, `${where}: the flavour ${id} has no packages`)
  }
}

async function readingOnly<T>(files: TreeFiles, where: string, read: (tree: RootfsEdit) => Promise<T>): Promise<T> {
  const tree = await treeOf(files)
  const before = await listTree(tree)
  const result = await read(tree)
  assert.deepEqual(await listTree(tree), before, `${where}: it changed the tree that it was to look at`)
  return result
}
