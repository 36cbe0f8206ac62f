import type { MachineService } from '@c2m/plugin-api'
import type { ConfigurationReader } from '../files/configuration-reader.js'
import { baseName, joinPath, parentPath, relativePath } from '../files/paths.js'
import { readOpenrcScript, runlevelServices } from '../openrc/scripts.js'
import { bootUnits, socketService } from '../systemd/boot.js'
import type { UnitCatalog, Unit } from '../systemd/catalog.js'
import { lsbField, sysvServices } from '../systemd/sysv.js'
import { unitValue } from '../systemd/unit-file.js'
import { UNIT_FOLDERS } from '../systemd/units.js'
import { unescapeUnitName, unitNameParts } from '../systemd/unit-name.js'
import { knownListeners, knownVolumes } from './known-services.js'
import { distinctListeners, parseListener, portText, type Listener } from './listener.js'
import { serviceRole } from './role.js'

export async function systemdServices(
  reader: ConfigurationReader,
  catalog: UnitCatalog,
): Promise<readonly MachineService[]> {
  const { services, sockets, scripts } = await bootUnits(reader, catalog)
  const found: MachineService[] = []
  const bySocket = new Map<string, (Listener | undefined)[]>()
  for (const { socket } of sockets) {
    const service = socketService(socket)
    const known = bySocket.get(service) ?? []
    for (const one of socketListeners(socket)) known.push(one)
    bySocket.set(service, known)
  }
  for (const unit of services) {
    const { name } = unit
    const listeners = bySocket.get(name) ?? []
    if (!standsForOthers(unit)) {
      const service = { name, description: descriptionOf(unit), byAdministrator: await isAdministrators(reader, unit) }
      found.push(await describe(reader, service, listeners))
    }
    bySocket.delete(name)
  }
  // started for each connection, from a template
  for (const [name, listeners] of bySocket) {
    if (listeners.some((one) => one !== undefined)) found.push(await describe(reader, { name }, listeners))
  }
  for (const [name, script] of scripts) {
    const description = lsbField((await reader.text(script)) ?? '', 'Short-Description')
    found.push(await describe(reader, { name, description }))
  }
  return sorted(found)
}

export async function openrcServices(reader: ConfigurationReader): Promise<readonly MachineService[]> {
  const found: MachineService[] = []
  for (const { name, runlevel } of await runlevelServices(reader)) {
    const script = await readOpenrcScript(reader, name)
    const { values } = script?.settings ?? {}
    const service = await describe(reader, { name, description: values?.get('description') ?? values?.get('name') })
    found.push(runlevel === 'default' ? service : { ...service, role: 'system' })
  }
  return sorted(found)
}

/** Of a machine whose init is SysV's. */
export async function sysvMachineServices(reader: ConfigurationReader): Promise<readonly MachineService[]> {
  const found: MachineService[] = []
  for (const { name, script } of await sysvServices(reader)) {
    const description = lsbField((await reader.text(script)) ?? '', 'Short-Description')
    found.push(await describe(reader, { name, description }))
  }
  return sorted(found)
}

/** A unit without a process of its own, such as postgresql-common's postgresql.service. */
function standsForOthers({ file }: Unit): boolean {
  return /^[-@:+!]*(?:\/usr)?\/bin\/true\s*$/.test(unitValue(file, 'Service', 'ExecStart') ?? '')
}

function descriptionOf({ name, file }: Unit): string | undefined {
  const instance = unescapeUnitName(unitNameParts(name).instance ?? '')
  return unitValue(file, 'Unit', 'Description')?.replace(/%[iI]/g, () => instance)
}

/** systemd.unit(5): /etc is the administrator's; a file there in place of a package's is still the package's service. */
async function isAdministrators(reader: ConfigurationReader, { path }: Unit): Promise<boolean> {
  const [own = '', ...packages] = UNIT_FOLDERS
  if (parentPath(path) !== `/${own}` || (await reader.rootfs.stat(relativePath(path)))?.type !== 'file') return false
  for (const folder of packages) if (await reader.exists(joinPath(folder, baseName(path)))) return false
  return true
}

interface Described {
  readonly name: string
  readonly description?: string | undefined
  /** Somebody wrote it for this machine. */
  readonly byAdministrator?: boolean
}

async function describe(
  reader: ConfigurationReader,
  { name, description, byAdministrator = false }: Described,
  sockets: readonly (Listener | undefined)[] = [],
): Promise<MachineService> {
  const listeners = distinctListeners([...sockets, ...(await knownListeners(reader, name))])
  const role = serviceRole(name, byAdministrator)
  const local = listeners.filter(({ isLocal }) => isLocal)
  if (role === 'application' && local.length > 0) {
    reader.warn(
      `${name} listens on ${local.map(portText).join(', ')} for its own machine only; nobody outside of a container reaches it until its configuration says otherwise`,
    )
  }
  const text = printable(description)
  return {
    name,
    ...(text === '' ? {} : { description: text }),
    role,
    ports: listeners.map(portText),
    volumes: await knownVolumes(reader, name),
  }
}

/** systemd.socket(5): ListenStream= and ListenDatagram= with a port; paths and abstract names are no ports. */
function socketListeners({ file }: Unit): readonly (Listener | undefined)[] {
  const listen = (key: string, protocol: Listener['protocol']) =>
    (file.get('Socket')?.get(key) ?? []).map((value) => parseListener(value.trim(), { protocol }))
  return [...listen('ListenStream', 'tcp'), ...listen('ListenDatagram', 'udp')]
}

function printable(text: string | undefined): string {
  return (text ?? '')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
    .trim()
    .slice(0, 120)
}

function sorted(services: readonly MachineService[]): readonly MachineService[] {
  return [...services].sort((a, b) => (a.name < b.name ? -1 : 1))
}
