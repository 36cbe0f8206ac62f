import type { BootloaderPlugin, Step } from '@c2m/plugin-api'
import assert from 'node:assert/strict'
import { describeSetup, taskOf, type Setup } from './bootloader-setups.js'
import { DISTRO_NAMES, namesIn } from './names.js'

const PHASES: Readonly<Record<Step['do'], readonly Step['phase'][]>> = {
  install: ['packages'],
  exec: ['packages'],
  temporaryFile: ['packages'],
  write: ['configure', 'boot'],
  symlink: ['configure', 'boot'],
  remove: ['configure', 'boot'],
  custom: ['configure', 'boot'],
  writeBlocks: ['assemble'],
}

/** The steps as data: what a plan prints, orders and caches. */
export async function checkPlan(loader: BootloaderPlugin, setup: Setup): Promise<void> {
  const where = describeSetup(setup)
  const task = taskOf(loader, setup)
  const steps = loader.install(task)
  checkSteps(steps, where)
  assert.equal(asData(loader.install(task)), asData(steps), `${where}: planned twice, it plans something else`)

  const packages = (all: readonly Step[]) => asData(all.filter(({ phase }) => phase === 'packages'))
  const other = { ...taskOf(loader, setup, 'another'), cmdline: ['x'], consoles: [], osName: 'Other', timeout: 9 }
  const because = 'its package phase depends on what differs between machines, so its layer cannot be cached'
  assert.equal(packages(loader.install(other)), packages(steps), `${where}: ${because}`)
}

/** Rules for the steps of any plugin. */
export function checkSteps(steps: readonly Step[], where: string): void {
  const ids = steps.map(({ id }) => id)
  assert.deepEqual([...new Set(ids)], ids, `${where}: two steps have one id`)
  for (const step of steps) {
    const { id, title } = step
    assert.match(id, /^[\w.-]+(?:\/[\w.@-]+)+$/, `${where}: the id ${JSON.stringify(id)} is not NAME/WHAT`)
    assert.match(title, /^\S[^\n]{3,}$/, `${where}: the title of ${id} is ${JSON.stringify(title)}`)
    assert.ok(PHASES[step.do]?.includes(step.phase), `${where}: ${id} does '${step.do}' in phase '${step.phase}'`)
    for (const path of pathsOf(step)) assert.match(path, /^\/(?!.*\/\.\.?(?:\/|$))/, `${where}: ${id}: path ${path}`)
  }
  assert.deepEqual(namesIn(asData(steps), DISTRO_NAMES), [], `${where}: its steps name distributions`)
}

function pathsOf(step: Step): readonly string[] {
  if (step.do === 'remove') return step.paths
  if (step.do === 'write' || step.do === 'symlink' || step.do === 'temporaryFile') return [step.path]
  return []
}

function asData(steps: readonly Step[]): string {
  return JSON.stringify(steps, (_, value: unknown) => (typeof value === 'function' ? '(computed)' : value))
}
