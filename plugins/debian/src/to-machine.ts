import {
  accountSteps,
  bootTargetStep,
  cloudInitSteps,
  cryptMethod,
  fstabSteps,
  growRootSteps,
  hostnameSteps,
  identitySteps,
  sshHostKeySteps,
  timezoneSteps,
  verificationSteps,
} from '@c2m/linux'
import type { MachineTask, Step } from '@c2m/plugin-api'
import type { DistroData } from './distro.js'
import { leftoverSteps } from './configure/leftovers.js'
import { localeSteps } from './configure/locale.js'
import { networkSteps } from './configure/network.js'
import { neededPackages, wantsSsh } from './needed-packages.js'
import type { Release } from './releases.js'

/** Everything but how packages are installed and the boot loader. @throws when something asked for cannot be */
export async function toMachine(data: DistroData, release: Release, task: MachineTask): Promise<readonly Step[]> {
  const { machine, disk } = task
  const { id: owner } = data
  warnOfUnknownHashes(release, task)
  return [
    {
      id: `${owner}/packages`,
      title: 'install what a machine needs',
      phase: 'packages',
      do: 'install',
      packages: [...(await neededPackages(data, release, task))].sort(),
    },
    ...((await data.steps?.(owner, release, task)) ?? []),
    ...leftoverSteps(owner),
    ...(await cloudInitSteps(owner, task)),
    ...fstabSteps(owner, disk),
    ...hostnameSteps(owner, machine.hostname),
    ...identitySteps(owner),
    ...(machine.timezone === undefined ? [] : timezoneSteps(owner, machine.timezone)),
    ...localeSteps(owner, machine.locale),
    ...accountSteps(machine, {
      owner,
      image: task.rootfs,
      sudoGroup: 'sudo',
      shells: ['/bin/bash', '/bin/sh'],
    }),
    bootTargetStep(owner),
    ...networkSteps(data, release, task, wantsSsh(task) ? ['ssh.service'] : []),
    ...sshHostKeySteps(owner),
    ...growRootSteps(owner),
    ...verificationSteps(owner, { waitForAddress: machine.network.mode === 'dhcp' }),
  ]
}

function warnOfUnknownHashes(release: Release, { machine, warn }: MachineTask): void {
  if (release.yescrypt) return
  const hashes = [machine.rootPasswordHash, ...machine.users.map(({ passwordHash }) => passwordHash)]
  if (hashes.some((hash) => hash !== undefined && /yescrypt$/.test(cryptMethod(hash.reveal()) ?? ''))) {
    warn(`this release's libc does not know yescrypt hashes ($y$), so the password will not be accepted; use a $6$ one`)
  }
}
