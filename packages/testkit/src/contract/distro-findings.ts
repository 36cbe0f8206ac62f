import { configure } from '@c2m/core'
import type { CleaningRule } from '@c2m/plugin-api'
import { cleanRootfs } from '@c2m/rootfs'
import assert from 'node:assert/strict'
import { stepContext } from '../fixtures/boot-task.js'
import { treeOf } from '../fixtures/tree.js'
import type { DistroCase } from './distro.js'
import { stepsOf, taskOf } from './distro-plan.js'

/** What no container can do without. */
const NEEDED = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  'usr/bin/program': 'x',
  'usr/lib/library.so.1': 'x',
  'home/ann/data': 'x',
  'srv/data': 'x',
}

/** The machine that the steps make of the tree, looked at on its way back. */
export async function checkFindings(one: DistroCase): Promise<void> {
  const { distro, where, files, architecture } = one
  if (distro.toImage === undefined) return
  const task = await taskOf(one, 0)
  const rootfs = await treeOf({ ...NEEDED, ...files })
  await configure(await stepsOf(one, task), stepContext(rootfs, task.disk))
  const findings = await distro.toImage({ match: task.match, architecture, rootfs, warn: () => undefined })
  const rules = findings.cleaning
  const ids = rules.map(({ id }) => id)
  assert.deepEqual([...new Set(ids)], ids, `${where}: two cleaning rules have one id`)
  for (const rule of rules) checkRule(rule, where)

  const { rootfs: cleaned, results } = await cleanRootfs(rootfs, rules)
  const gone = results.filter(({ applied, removed, emptied }) => applied && removed + emptied > 0)
  assert.ok(gone.length > 0, `${where}: no rule that applies by itself finds anything in the machine that it made`)
  for (const path of Object.keys(NEEDED))
    assert.ok((await cleaned.stat(path)) !== undefined, `${where}: its rules take ${path} away`)
  const inits = findings.inits.map(({ id }) => id)
  assert.deepEqual([...new Set(inits)], inits, `${where}: two init systems have one id`)
  assert.ok(
    findings.inits.every(({ process }) => process.entrypoint.length > 0),
    `${where}: an init has no command`,
  )
  assert.ok((await findings.packageFiles()) instanceof Set, `${where}: packageFiles gives no set`)
}

function checkRule(
  { id, summary, remove = [], removeFiles = [], empty = [], truncate = [], except = [] }: CleaningRule,
  where: string,
): void {
  assert.match(id, /^[a-z0-9][a-z0-9-]*$/, `${where}: no rule can be called ${JSON.stringify(id)}`)
  assert.match(summary, /^\S[^\n]{3,}$/, `${where}: the summary of ${id} is ${JSON.stringify(summary)}`)
  assert.ok(
    remove.length + removeFiles.length + empty.length + truncate.length > 0,
    `${where}: the rule ${id} names nothing`,
  )
  for (const glob of [...remove, ...removeFiles, ...empty, ...truncate, ...except])
    assert.match(glob, /^\/./, `${where}: ${id}: the glob ${glob} is not absolute`)
}
