import { configure } from '@c2m/core'
import type { BootloaderPlugin, BootTask, RootfsEdit, Step } from '@c2m/plugin-api'
import assert from 'node:assert/strict'
import { stepContext } from '../fixtures/boot-task.js'
import { listTree, readFileOf, treeOf, type TreeFiles } from '../fixtures/tree.js'
import { describeSetup, taskOf, type Setup } from './bootloader-setups.js'
import { DISTRO_NAMES, namesIn } from './names.js'

/** Newest first, as a menu lists them. The older one has no initrd. */
export const KERNELS = ['6.12.3-1-example', '6.1.0-9-example'] as const

/** Bytes; a menu or a script is smaller. */
const MAX_TEXT = 1 << 20

/** A machine's tree after the package phase. */
export function installedTree(files: TreeFiles): Promise<RootfsEdit> {
  const [newest, older] = KERNELS
  const kernels = { [`boot/vmlinuz-${newest}`]: 'MZ new', [`boot/initrd.img-${newest}`]: 'initrd' }
  return treeOf({ ...kernels, [`boot/vmlinuz-${older}`]: 'MZ old', ...files })
}

/** Runs the steps that edit the tree, as the core does. */
export function runSteps(steps: readonly Step[], task: BootTask, tree: RootfsEdit): Promise<void> {
  return configure(steps, stepContext(tree, task.disk))
}

export async function checkRun(loader: BootloaderPlugin, setup: Setup, files: TreeFiles): Promise<void> {
  const where = describeSetup(setup)
  const task = taskOf(loader, setup)
  const steps = loader.install(task)
  const tree = await installedTree(files)
  await runSteps(steps, task, tree)
  const once = await listTree(tree)
  await runSteps(steps, task, tree)
  assert.deepEqual(await listTree(tree), once, `${where}: run over its own result, it makes another`)
  const again = await installedTree(files)
  await runSteps(loader.install(task), task, again)
  assert.deepEqual(await listTree(again), once, `${where}: the same steps make another tree`)
  await checkMenu(tree, where)
}

/** Whatever form its menu has, a kernel that it can start is named in some file that it wrote. */
async function checkMenu(tree: RootfsEdit, where: string): Promise<void> {
  const before = new Set((await (await installedTree({})).list('boot')).map((name) => `boot/${name}`))
  let written = ''
  for (const { path, kind } of tree.changes) {
    const entry = kind === 'removed' || before.has(path) ? undefined : await tree.stat(path)
    if (entry?.type !== 'file') continue
    const text = entry.size <= MAX_TEXT ? (await readFileOf(tree, path)).toString('latin1') : ''
    if (isText(text)) {
      written += `${path}\n${text}\n`
      assert.deepEqual(namesIn(text, DISTRO_NAMES), [], `${where}: ${path} names distributions`)
    }
  }
  for (const version of KERNELS) assert.ok(written.includes(version), `${where}: no menu names the kernel ${version}`)
}

function isText(text: string): boolean {
  return !/[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text)
}
