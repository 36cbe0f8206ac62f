import type { MachineTask, Step } from '@c2m/plugin-api'

const PROGRAMS = ['usr/bin/cloud-init', 'bin/cloud-init']
const SWITCH = '/etc/cloud/cloud-init.disabled'

/**
 * cloud-init in an image would set host name, network, accounts and SSH host keys of the machine anew at every first boot.
 * Unless the user asks for the package, the file that its generator looks for keeps it from starting
 * (cloudinit.readthedocs.io, "How to disable cloud-init"); what it remembers of another machine goes.
 */
export async function cloudInitSteps(
  owner: string,
  { machine, rootfs, warn }: Pick<MachineTask, 'machine' | 'rootfs' | 'warn'>,
): Promise<readonly Step[]> {
  if (machine.packages.some((name) => /^cloud-init(?![a-z0-9+.-])/.test(name))) return []
  const found = await Promise.all(PROGRAMS.map((path) => rootfs.resolve(path)))
  if (found.every((path) => path === undefined)) return []
  warn(
    `the image has cloud-init, which would configure the machine anew: ${SWITCH} keeps it from starting; name it with --package to let it start`,
  )
  return [
    {
      id: `${owner}/cloud-init-instance`,
      title: 'forget the instance that cloud-init knew',
      phase: 'configure',
      do: 'custom',
      run: async ({ rootfs }) => {
        for (const name of await rootfs.list('var/lib/cloud')) await rootfs.remove(`var/lib/cloud/${name}`)
      },
    },
    {
      id: `${owner}/cloud-init`,
      title: 'keep cloud-init from starting',
      phase: 'configure',
      do: 'write',
      path: SWITCH,
      mode: 0o644,
      content: 'The configuration of this machine is its own. Without this file, cloud-init starts at the next boot.\n',
    },
  ]
}
