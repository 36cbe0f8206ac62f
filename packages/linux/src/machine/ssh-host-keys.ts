import type { Step } from '@c2m/plugin-api'
import { exists } from '../files/read.js'
import { makeSymlink } from '../files/write.js'

const NAME = 'c2m-ssh-host-keys.service'

/** Before sshd's first start, and only while there is no key at all: an administrator may have removed some on purpose. */
const UNIT = `[Unit]
Description=Make the SSH host keys of this machine
Documentation=man:ssh-keygen(1)
Before=ssh.service ssh.socket sshd.service
ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/ssh-keygen -A
`

/** Host keys made on the first boot, so that no two machines share them; nothing where there is no sshd. */
export function sshHostKeySteps(owner: string): readonly Step[] {
  return [
    {
      id: `${owner}/${NAME}`,
      title: 'make SSH host keys at the first boot',
      phase: 'configure',
      do: 'custom',
      run: async ({ rootfs }) => {
        if (!(await exists(rootfs, 'usr/sbin/sshd')) || !(await exists(rootfs, 'usr/bin/ssh-keygen'))) return
        const path = `/etc/systemd/system/${NAME}`
        await rootfs.put({ path: path.slice(1), type: 'file', mode: 0o644 }, Buffer.from(UNIT))
        await makeSymlink(rootfs, `etc/systemd/system/multi-user.target.wants/${NAME}`, path)
      },
    },
  ]
}
