import type { BootloaderPlugin, Step } from '@c2m/plugin-api'
import assert from 'node:assert/strict'
import { describeSetup, taskOf, type Setup } from './bootloader-setups.js'
import { DISTRO_NAMES, namesIn } from './names.js'
import { asData, checkSteps } from './steps.js'

/** The steps as data: what a plan prints, orders and caches. */
export async function checkPlan(loader: BootloaderPlugin, setup: Setup): Promise<void> {
  const where = describeSetup(setup)
  const task = taskOf(loader, setup)
  const steps = loader.install(task)
  checkSteps(steps, where)
  assert.deepEqual(namesIn(asData(steps), DISTRO_NAMES), [], `${where}: its steps name distributions`)
  assert.equal(asData(loader.install(task)), asData(steps), `${where}: planned twice, it plans something else`)

  const packages = (all: readonly Step[]) => asData(all.filter(({ phase }) => phase === 'packages'))
  const other = { ...taskOf(loader, setup, 'another'), cmdline: ['x'], consoles: [], osName: 'Other', timeout: 9 }
  const because = 'its package phase depends on what differs between machines, so its layer cannot be cached'
  assert.equal(packages(loader.install(other)), packages(steps), `${where}: ${because}`)
}
