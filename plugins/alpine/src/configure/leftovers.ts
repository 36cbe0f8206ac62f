import { editText, exists } from '@c2m/linux'
import type { Step } from '@c2m/plugin-api'

/** What images for containers configure against being a machine, and what engines leave in them. */
export function leftoverSteps(owner: string): readonly Step[] {
  return [
    {
      id: `${owner}/container-files`,
      title: 'remove what only a container needs',
      phase: 'configure',
      do: 'remove',
      paths: ['/.dockerenv', '/run/.containerenv'],
    },
    {
      id: `${owner}/rc.conf`,
      title: 'tell OpenRC that it runs on a machine',
      phase: 'configure',
      do: 'custom',
      run: async ({ rootfs }) => {
        if (await exists(rootfs, 'etc/rc.conf')) await editText(rootfs, 'etc/rc.conf', forMachine)
      },
    },
  ]
}

/** rc.conf(5): in a container OpenRC leaves out services, and is told that others are there. */
export function forMachine(text: string): string {
  return text
    .split('\n')
    .map((line) => (/^\s*(?:rc_sys|rc_provide|rc_controller_cgroups)=/.test(line) ? `#${line}` : line))
    .join('\n')
}
