import type { Step } from '@c2m/plugin-api'
import assert from 'node:assert/strict'

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
}

function pathsOf(step: Step): readonly string[] {
  if (step.do === 'remove') return step.paths
  if (step.do === 'write' || step.do === 'symlink' || step.do === 'temporaryFile') return [step.path]
  return []
}

/** Steps as text, to be compared; what is computed later is not in it. */
export function asData(steps: readonly Step[]): string {
  return JSON.stringify(steps, (_, value: unknown) => (typeof value === 'function' ? '(computed)' : value))
}
