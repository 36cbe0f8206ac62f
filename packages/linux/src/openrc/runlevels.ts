import type { RootfsEdit, Step } from '@c2m/plugin-api'
import { exists } from '../files/read.js'
import { makeSymlink } from '../files/write.js'

/** One service, or several names of one: of those the first that the machine has is meant. */
export type ServiceChoice = string | readonly string[]

/** What is to be started, by runlevel. */
export type Runlevels = Readonly<Record<string, readonly ServiceChoice[]>>

/** `rc-update add` for services that the tree has; names differ between releases, so those that it lacks are left out. */
export function runlevelStep(owner: string, runlevels: Runlevels): Step {
  return {
    id: `${owner}/runlevels`,
    title: `fill the runlevels ${Object.keys(runlevels).join(', ')}`,
    phase: 'configure',
    do: 'custom',
    run: async ({ rootfs }) => {
      for (const [runlevel, services] of Object.entries(runlevels)) {
        for (const choice of services) await addToRunlevel(rootfs, runlevel, choice)
      }
    },
  }
}

/** Of several names, one that is in the runlevel already settles it: an image may have another device manager. */
async function addToRunlevel(edit: RootfsEdit, runlevel: string, choice: ServiceChoice): Promise<void> {
  const names = typeof choice === 'string' ? [choice] : choice
  const there = await edit.list(`etc/runlevels/${runlevel}`)
  if (names.some((name) => there.includes(name))) return
  for (const name of names) {
    if (!(await exists(edit, `etc/init.d/${name}`))) continue
    await makeSymlink(edit, `etc/runlevels/${runlevel}/${name}`, `/etc/init.d/${name}`)
    return
  }
}
