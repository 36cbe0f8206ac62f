import type { BootTask, Step, StepContext } from '@c2m/plugin-api'
import { serialPort, type SerialPort } from './console.js'
import { defaultsText, mergeDefaults } from './defaults.js'
import { environmentBlock } from './environment.js'
import { readFile } from './file.js'
import { isBootable, menuText } from './menu.js'
import { GRUB_FOLDER, speaksForFamily, type GrubMember } from './platform.js'

/** Bytes; a hand-written /etc/default/grub has a few kilobytes. */
const MAX_DEFAULTS = 1 << 20

/**
 * What the members of the family share: the menu, its environment block, the settings for the guest's update-grub.
 *
 * @throws C2M_GRUB_CMDLINE
 */
export function familySteps(member: GrubMember, task: BootTask): readonly Step[] {
  if (!speaksForFamily(member, task.members)) return []
  const serial = biosSerialPort(task)
  return [
    defaultsStep(task, defaultsText({ ...task, serial })),
    {
      id: 'grub/environment',
      title: 'write an empty GRUB environment block',
      phase: 'boot',
      do: 'write',
      path: `${GRUB_FOLDER}/grubenv`,
      content: environmentBlock(),
      mode: 0o644,
    },
    {
      id: 'grub/menu',
      title: "write GRUB's menu",
      phase: 'boot',
      do: 'write',
      path: `${GRUB_FOLDER}/grub.cfg`,
      content: (context) => menu(task, serial, context),
      mode: 0o644,
    },
  ]
}

async function menu(task: BootTask, serial: SerialPort | undefined, context: StepContext): Promise<string> {
  const kernels = await task.kernels(context.rootfs)
  for (const kernel of kernels.filter((candidate) => !isBootable(candidate))) {
    context.warn(`GRUB's menu leaves out a kernel with an unprintable name: ${JSON.stringify(kernel.kernel)}`)
  }
  return menuText({ ...task, kernels, serial })
}

/** The grub-mkconfig of apt's package also reads /etc/default/grub.d; others read the one file only. */
function defaultsStep(task: BootTask, text: string): Step {
  const common = {
    id: 'grub/defaults',
    title: 'write the settings for update-grub',
    phase: 'boot',
    do: 'write',
  } as const
  if (task.packageManager === 'apt')
    return { ...common, path: '/etc/default/grub.d/c2m.cfg', content: text, mode: 0o644 }
  return {
    ...common,
    path: '/etc/default/grub',
    content: async ({ rootfs }) => {
      const existing = await readFile(rootfs, '/etc/default/grub', MAX_DEFAULTS)
      return mergeDefaults(existing ?? new Uint8Array(), text)
    },
  }
}

function biosSerialPort(task: BootTask): SerialPort | undefined {
  return task.members.includes('grub-pc') ? serialPort(task.consoles) : undefined
}
