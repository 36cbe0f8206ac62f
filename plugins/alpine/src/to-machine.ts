import {
  accountSteps,
  cryptMethod,
  fstabSteps,
  growRootServiceSteps,
  hostnameSteps,
  identitySteps,
  timezoneSteps,
  verificationServiceSteps,
} from '@c2m/linux'
import type { MachineTask, Step } from '@c2m/plugin-api'
import { becomeRootSteps } from './configure/become-root.js'
import { consoleSteps } from './configure/console.js'
import { keyboardSteps } from './configure/keyboard.js'
import { leftoverSteps } from './configure/leftovers.js'
import { localeSteps } from './configure/locale.js'
import { networkSteps } from './configure/network.js'
import { runlevelSteps } from './configure/runlevels.js'
import { neededPackages, rootProgram, wantsSsh } from './needed-packages.js'
import type { Release } from './releases.js'

/** Everything but how packages are installed and the boot loader. @throws when something asked for cannot be */
export async function toMachine(owner: string, release: Release, task: MachineTask): Promise<readonly Step[]> {
  const { machine, disk } = task
  warnOfUnknownHashes(task)
  return [
    {
      id: `${owner}/packages`,
      title: 'install what a machine needs',
      phase: 'packages',
      do: 'install',
      packages: [...(await neededPackages(release, task))].sort(),
    },
    ...leftoverSteps(owner),
    ...fstabSteps(owner, disk),
    ...hostnameSteps(owner, machine.hostname),
    ...identitySteps(owner, { machineId: 'none' }),
    ...(machine.timezone === undefined ? [] : timezoneSteps(owner, machine.timezone)),
    ...localeSteps(owner, task),
    ...keyboardSteps(owner, machine.keyboard),
    ...accountSteps(machine, {
      owner,
      image: task.rootfs,
      sudoGroup: 'wheel',
      shells: ['/bin/ash', '/bin/sh'],
      withoutPassword: () => [],
    }),
    ...becomeRootSteps(owner, machine.users, await rootProgram(release, task)),
    ...consoleSteps(owner, machine.consoles),
    ...networkSteps(owner, task),
    ...runlevelSteps(owner, { ssh: wantsSsh(task), keymap: machine.keyboard !== undefined }),
    ...growRootServiceSteps(owner),
    ...verificationServiceSteps(owner, { waitForAddress: machine.network.mode === 'dhcp' }),
  ]
}

/** musl's crypt(3) knows DES, MD5, Blowfish, SHA-256 and SHA-512. */
function warnOfUnknownHashes({ machine, warn }: MachineTask): void {
  const hashes = [machine.rootPasswordHash, ...machine.users.map(({ passwordHash }) => passwordHash)]
  if (hashes.some((hash) => hash !== undefined && /yescrypt$/.test(cryptMethod(hash.reveal()) ?? ''))) {
    warn(`musl's libc does not know yescrypt hashes ($y$), so the password will not be accepted; use a $6$ one`)
  }
}
