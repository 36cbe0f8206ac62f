import type { Step } from '@c2m/plugin-api'
import { makeSymlink } from '../files/write.js'

const SEEDS = [
  'var/lib/systemd/random-seed',
  'var/lib/systemd/credential.secret',
  'var/lib/seedrng',
  'var/lib/misc/random-seed',
]

export interface IdentityOptions {
  /** 'empty': systemd's first boot fills it in without its questions. 'none': who wants one makes it. */
  readonly machineId: 'empty' | 'none'
}

/** What must not be the same on two machines made from one image: machine-id(5), SSH host keys and random seeds go. */
export function identitySteps(owner: string, { machineId }: IdentityOptions = { machineId: 'empty' }): readonly Step[] {
  return [
    {
      id: `${owner}/identity`,
      title: "forget the image's machine id, SSH host keys and random seed",
      phase: 'configure',
      do: 'custom',
      run: async ({ rootfs }) => {
        const id = await rootfs.stat('etc/machine-id')
        if (id?.type === 'symlink' || machineId === 'none') await rootfs.remove('etc/machine-id')
        if (machineId === 'empty') await rootfs.put({ path: 'etc/machine-id', type: 'file', mode: 0o444 })
        if ((await rootfs.stat('var/lib/dbus')) !== undefined)
          await makeSymlink(rootfs, 'var/lib/dbus/machine-id', '/etc/machine-id')
        for (const name of await rootfs.list('etc/ssh')) {
          if (/^ssh_host_.*key(\.pub)?$/.test(name)) await rootfs.remove(`etc/ssh/${name}`)
        }
        for (const path of SEEDS) await rootfs.remove(path)
      },
    },
  ]
}
