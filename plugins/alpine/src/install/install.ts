import { scriptSteps, type SandboxScript } from '@c2m/linux'
import type { MachineTask, Step } from '@c2m/plugin-api'
import type { DistroData } from '../distro.js'
import type { Release } from '../releases.js'
import { damagedPackages } from './damaged-packages.js'
import { MACHINE_FEATURE, MACHINE_MODULES } from './initramfs-settings.js'
import { CLEAN_UP, INSTALL, MAKE_INITRAMFS } from './scripts.js'

/** The same for all commands: English messages, no colours. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  TERM: 'dumb',
  LC_ALL: 'C',
}

/**
 * apk in the sandbox, with the image's repositories and keys, and downloads from the cache. mkinitfs comes first and gets
 * its settings, so that the kernel package's own trigger makes the right initramfs, once.
 * @throws when a name is no package's
 */
export async function installSteps(
  { id: owner, name }: Pick<DistroData, 'id' | 'name'>,
  release: Release,
  packages: readonly string[],
  task: MachineTask,
): Promise<readonly Step[]> {
  const names = [...new Set(packages.map(checkPackageName))].sort()
  warnOfEnd(name, release, task)
  const scripts: readonly SandboxScript[] = [
    {
      id: 'install',
      title: `install ${names.length} packages and what they need`,
      script: INSTALL,
      args: names,
      env: {
        C2M_FEATURE: MACHINE_FEATURE,
        C2M_MODULES: MACHINE_MODULES,
        C2M_REPAIR: (await damagedPackages(task.rootfs)).join(' '),
      },
    },
    { id: 'initramfs', title: 'make the initramfs where it is missing', script: MAKE_INITRAMFS },
    { id: 'clean-up', title: 'remove what installing leaves behind', script: CLEAN_UP },
  ]
  return scriptSteps(owner, scripts, ENVIRONMENT)
}

function warnOfEnd(name: string, { version, endOfLife }: Release, { warn }: MachineTask): void {
  if (endOfLife === undefined || Date.parse(endOfLife) > Date.now()) return
  warn(
    `${name} ${version.join('.')} has had no updates since ${endOfLife}; its packages are those that the mirrors still keep of it`,
  )
}

/**
 * A package's name, or 'cmd:…' and its like for what provides it, as `apk add` takes them: with a version ('=1.2-r3', '~1.2',
 * '>=1') or a repository's tag ('@edge') behind it. '!name' would tell apk to remove, '-x' would be an option.
 */
function checkPackageName(name: string): string {
  if (/^(?:[a-z]{1,10}:)?[A-Za-z0-9][A-Za-z0-9._+-]*(?:(?:[<>]=?|=|~)[A-Za-z0-9._-]+)?(?:@[A-Za-z0-9_-]+)?$/.test(name))
    return name
  throw new Error(`'${name}' is no package's name; write it as apk add takes it, e.g. curl or curl=8.5.0-r0`)
}
