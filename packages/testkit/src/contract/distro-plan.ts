import { configure, randomnessFrom, secret } from '@c2m/core'
import type { MachineRequest, MachineTask, Step } from '@c2m/plugin-api'
import assert from 'node:assert/strict'
import { diskPlan, stepContext } from '../fixtures/boot-task.js'
import { machineTask } from '../fixtures/machine-task.js'
import { listTree, readFileOf, treeOf } from '../fixtures/tree.js'
import type { DistroCase } from './distro.js'
import { asData, checkSteps } from './steps.js'

/** SHA-512 crypt(3) hashes of nothing in particular. */
const HASHES = ['a', 'b'].map((letter) => `$6$${letter.repeat(16)}$${letter.repeat(86)}`)

/** Two machines of one image: they differ in what must not reach the package layer. */
export const MACHINES: readonly Partial<MachineRequest>[] = HASHES.map((hash, index) => ({
  hostname: `machine-${index}`,
  rootPasswordHash: secret(hash),
  network: index === 0 ? { mode: 'dhcp' } : { mode: 'static', addresses: ['192.0.2.7/24'], gateway: '192.0.2.1' },
  dns: index === 0 ? [] : ['192.0.2.53'],
  cmdline: index === 0 ? [] : ['quiet'],
}))

/** One of {@link MACHINES} on its way, with a disk of its own. */
export async function taskOf(one: DistroCase, index: number, more: Partial<MachineRequest> = {}): Promise<MachineTask> {
  const { distro, files, architecture, givenKernel } = one
  const tree = await treeOf(files)
  const plain = await machineTask(distro, tree, { architecture })
  const taken = plain.traits.takesKernel === true ? { givenKernel } : {}
  const disk = diskPlan('gpt', [], { architecture, seed: `machine ${index}` })
  return machineTask(distro, tree, { architecture, disk, machine: { ...MACHINES[index], ...more }, ...taken })
}

/** Every step of the distro, with the packages that it asks for. */
export async function stepsOf({ distro }: DistroCase, task: MachineTask): Promise<readonly Step[]> {
  const own = await distro.toMachine(task)
  const packages = own.flatMap((step) => (step.do === 'install' ? step.packages : []))
  return [...(await distro.install([...new Set(packages)].sort(), task)), ...own]
}

/** The steps as data: what a plan prints, orders and caches. */
export async function checkPlan(one: DistroCase): Promise<void> {
  const { where } = one
  const steps = await stepsOf(one, await taskOf(one, 0))
  checkSteps(steps, where)
  assert.equal(asData(await stepsOf(one, await taskOf(one, 0))), asData(steps), `${where}: planned twice, it differs`)
  for (const hash of HASHES) assert.ok(!asData(steps).includes(hash), `${where}: a password's hash is in its plan`)

  const packages = (all: readonly Step[]) => asData(all.filter(({ phase }) => phase === 'packages'))
  const because = 'its package phase depends on what differs between machines, so its layer cannot be cached'
  assert.equal(packages(await stepsOf(one, await taskOf(one, 1))), packages(steps), `${where}: ${because}`)
}

/** What the steps make of the tree. */
export async function checkRun(one: DistroCase): Promise<void> {
  const { where, distro } = one
  for (const index of MACHINES.keys()) {
    const task = await taskOf(one, index)
    const steps = await stepsOf(one, task)
    const tree = await treeOf(one.files)
    // an image's own programs and settings may be looked at once more, as random bytes may be asked for
    const context = stepContext(tree, task.disk, { random: randomnessFrom(`machine ${index}`) })
    await configure(steps, context)
    const once = await listTree(tree)
    await configure(steps, context)
    assert.deepEqual(await listTree(tree), once, `${where}: run over its own result, it makes another`)
    const again = await treeOf(one.files)
    await configure(await stepsOf(one, await taskOf(one, index)), { ...context, rootfs: again })
    assert.deepEqual(await listTree(again), once, `${where}: the same steps make another tree`)
    if (task.givenKernel === undefined) continue
    const kernels = await distro.kernels(tree)
    const placed = kernels.find(({ version }) => version === task.givenKernel?.release)
    assert.ok(placed !== undefined, `${where}: the given kernel is not among those that it finds`)
    const image: Uint8Array[] = []
    for await (const { data } of task.givenKernel.image.open()) image.push(Buffer.from(data))
    const bytes = await readFileOf(tree, placed.kernel.slice(1))
    assert.ok(bytes.equals(Buffer.concat(image)), `${where}: ${placed.kernel} is not the given kernel`)
  }
}
