import type { ContainerInit, ContainerProcess, ImageTask, MachineFindings, MachineService } from '@c2m/plugin-api'
import { commonCleaningRules } from './cleaning/rules.js'
import { openrcInit } from './container/openrc-init.js'
import { systemdInit } from './container/systemd-init.js'
import { ConfigurationReader } from './files/configuration-reader.js'
import { openrcProcess } from './openrc/process.js'
import { findOsRelease } from './release/os-release.js'
import { openrcServices, systemdServices, sysvMachineServices } from './services/machine-services.js'
import { systemdProcess } from './services/systemd-process.js'
import { UnitCatalog } from './systemd/catalog.js'

/** systemd's names (%a of systemd.unit(5)) by GOARCH, where they differ. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  amd64: 'x86-64',
  '386': 'x86',
  ppc64le: 'ppc64-le',
  mips64le: 'mips64-le',
}

const DATA_DIRECTORIES = [
  { path: '/srv', note: 'data that this machine serves (file-hier(7))' },
  { path: '/var/www', note: 'web pages: part of the image when they are code, a volume when people upload there' },
  { path: '/var/mail', note: 'mail' },
]

/** What is asked; a distro's plugin hands on its own task. */
type LinuxTask = Omit<ImageTask, 'match'>

/**
 * What holds for every Linux, of whatever distro; plugins add to it. Looks only: nothing of the machine is run, and what is
 * absurd in it costs a warning, not the conversion.
 */
export async function linuxFindings(task: LinuxTask): Promise<MachineFindings> {
  const reader = new ConfigurationReader(task.rootfs, (message) => task.warn(message))
  const { files, services } = task.boot ?? { files: [], services: [] }
  const systemd = await systemdInit(
    task.rootfs,
    services.map((name) => `${name}.service`),
  )
  const openrc = await openrcInit(task.rootfs)
  const inits = [systemd, openrc].filter((init): init is ContainerInit => init !== undefined)
  const runs = systemd !== undefined ? 'systemd' : openrc !== undefined ? 'openrc' : 'other'
  const catalog = new UnitCatalog(reader)
  return {
    cleaning: await commonCleaningRules(reader, files),
    services: (await enabledServices(runs, reader, catalog)).map((service) => withRole(service, services)),
    service: async (name) => {
      if (runs === 'openrc') return openrcProcess(reader, name, task)
      return systemdService(task, reader, catalog, name)
    },
    inits,
    dataDirectories: await filledDirectories(reader),
    packageFiles: async () => new Set<string>(),
  }
}

/** What starts a machine keeps it going too. */
function withRole(service: MachineService, ofBootloaders: readonly string[]): MachineService {
  return ofBootloaders.includes(service.name.replace(/\.service$/, '')) ? { ...service, role: 'system' } : service
}

function enabledServices(
  init: 'systemd' | 'openrc' | 'other',
  reader: ConfigurationReader,
  catalog: UnitCatalog,
): Promise<readonly MachineService[]> {
  if (init === 'systemd') return systemdServices(reader, catalog)
  return init === 'openrc' ? openrcServices(reader) : sysvMachineServices(reader)
}

async function systemdService(
  { architecture, rootfs, excludeSecrets = false }: LinuxTask,
  reader: ConfigurationReader,
  catalog: UnitCatalog,
  name: string,
): Promise<ContainerProcess> {
  const os = await findOsRelease(rootfs).catch(() => undefined)
  const hostname = ((await reader.text('/etc/hostname')) ?? '').split('\n')[0]?.trim() ?? ''
  const specifiers = {
    architecture: ARCHITECTURES[architecture] ?? architecture,
    hostname: /^[A-Za-z0-9.-]{1,253}$/.test(hostname) ? hostname : 'localhost',
    osRelease: os?.fields ?? new Map<string, string>(),
  }
  return systemdProcess({ reader, catalog, specifiers, excludeSecrets }, name)
}

async function filledDirectories(
  reader: ConfigurationReader,
): Promise<readonly { readonly path: string; readonly note: string }[]> {
  const found: { path: string; note: string }[] = []
  for (const one of DATA_DIRECTORIES) {
    if ((await reader.type(one.path)) === 'directory' && (await reader.list(one.path)).length > 0) found.push(one)
  }
  return found
}
