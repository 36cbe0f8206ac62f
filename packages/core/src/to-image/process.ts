import { findShell } from '@c2m/linux'
import type {
  ContainerDirectory,
  ContainerInit,
  ContainerProcess,
  MachineFindings,
  Rootfs,
  RootfsEdit,
  Step,
} from '@c2m/plugin-api'
import { C2mError, ExitCode, isC2mError } from '@c2m/process'
import type { InitRequest } from '../request/vm-to-container.js'
import { relative } from '../steps/configure.js'

/** What a container of the image runs. */
export interface ChosenProcess {
  /** 'systemd', 'service=nginx.service', 'shell', 'none' */
  readonly id: string
  /** For the user. */
  readonly because: string
  readonly process: ContainerProcess
  /** 'PORT/tcp' */
  readonly ports: readonly string[]
  /** Changes to the tree, of phase 'configure'. */
  readonly steps: readonly Step[]
  /** Further arguments of `docker run`. */
  readonly runArguments: readonly string[]
}

/** What others may do with a directory that is on somebody's way. */
const PASSABLE = 0o055

/**
 * The first process: what was asked for; else the one application that the machine runs, its init system when it runs
 * several, a shell when it runs none.
 * @throws C2M_INIT_UNKNOWN, C2M_SERVICE, C2M_NO_SHELL
 */
export async function chooseProcess(
  asked: InitRequest | undefined,
  findings: MachineFindings,
  rootfs: Rootfs,
): Promise<ChosenProcess> {
  if (asked !== undefined) return askedProcess(asked, findings, rootfs)
  const applications = findings.services.filter(({ role }) => role === 'application').map(({ name }) => name)
  const [only, ...others] = applications
  if (only !== undefined && others.length === 0) {
    try {
      return await serviceProcess(only, findings, `the machine runs one application, ${only}`)
    } catch (error) {
      const because = `${only} cannot run alone: ${(error as Error).message}`
      return fallBack(findings, rootfs, because)
    }
  }
  if (only !== undefined) return fallBack(findings, rootfs, `the machine runs ${applications.join(', ')}`)
  return shellProcess(rootfs, 'no application was found that the machine starts')
}

async function askedProcess(asked: InitRequest, findings: MachineFindings, rootfs: Rootfs): Promise<ChosenProcess> {
  const because = 'asked for'
  switch (asked.kind) {
    case 'service':
      return serviceProcess(asked.name, findings, because)
    case 'shell':
      return shellProcess(rootfs, because)
    case 'none':
      return { id: 'none', because, process: { entrypoint: [] }, ports: [], steps: [], runArguments: [] }
    case 'init': {
      const init = findings.inits.find(({ id }) => id === asked.id)
      if (init !== undefined) return initProcess(init, findings, because)
      const known = [...findings.inits.map(({ id }) => id), 'service=UNIT', 'shell', 'none']
      throw new C2mError('C2M_INIT_UNKNOWN', `the machine has no init system '${asked.id}'`, {
        hint: `there are: ${known.join(', ')}`,
        exitCode: ExitCode.usage,
      })
    }
  }
}

async function fallBack(findings: MachineFindings, rootfs: Rootfs, because: string): Promise<ChosenProcess> {
  const [init] = findings.inits
  return init === undefined ? shellProcess(rootfs, because) : initProcess(init, findings, because)
}

function initProcess(init: ContainerInit, { services }: MachineFindings, because: string): ChosenProcess {
  const { id, process, steps, runArguments } = init
  return { id, because, process, steps, runArguments, ports: unique(services.flatMap(({ ports }) => ports)) }
}

async function serviceProcess(name: string, findings: MachineFindings, because: string): Promise<ChosenProcess> {
  const process = await findings.service(name).catch((error: unknown) => {
    if (isC2mError(error)) throw error
    throw new C2mError('C2M_SERVICE', (error as Error).message, {
      hint: `enabled services: ${findings.services.map((service) => service.name).join(', ') || 'none'}`,
      cause: error,
    })
  })
  const service = findings.services.find((one) => one.name === name || one.name === `${name}.service`)
  return { id: `service=${name}`, because, process, ports: service?.ports ?? [], steps: [], runArguments: [] }
}

async function shellProcess(rootfs: Rootfs, because: string): Promise<ChosenProcess> {
  const shell = await findShell(rootfs)
  const process = { entrypoint: [], cmd: shell === undefined ? [] : [shell] }
  return { id: shell === undefined ? 'none' : 'shell', because, process, ports: [], steps: [], runArguments: ['-it'] }
}

/**
 * Makes a directory that the process needs where it is missing. Where it is there, it stays as it is, but the way is made
 * passable: an init system that starts a service brings it past directories that are root's only (systemd.exec(5):
 * /var/lib/private), and a container's runtime does not.
 */
export async function provide(rootfs: RootfsEdit, { path, mode, uid, gid }: ContainerDirectory): Promise<void> {
  const place = await rootfs.resolve(relative(path))
  if (place === undefined) {
    if ((await rootfs.stat(relative(path))) !== undefined) return
    await rootfs.put({ path: relative(path), type: 'directory', mode, uid, gid })
    return
  }
  if (uid === 0 || (await rootfs.stat(place))?.uid !== uid) return
  const parts = place.split('/')
  for (let length = 1; length < parts.length; length++) {
    const entry = await rootfs.stat(parts.slice(0, length).join('/'))
    if (entry?.type !== 'directory' || entry.uid !== 0 || (entry.mode & 0o001) !== 0) continue
    // its group's way in is the group's
    if (entry.gid === gid && (entry.mode & 0o010) !== 0) continue
    await rootfs.put({ ...entry, mode: entry.mode | PASSABLE })
  }
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)]
}
