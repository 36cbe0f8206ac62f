import type { ConfigurationReader } from '../files/configuration-reader.js'
import { readShellAssignments, type ShellAssignments } from '../files/shell-assignments.js'

export interface RunlevelService {
  readonly name: string
  /** The first one that has it, as the machine comes up. */
  readonly runlevel: string
}

const RUNLEVELS = ['sysinit', 'boot', 'nonetwork', 'default']

export function isServiceName(name: string): boolean {
  return /^[A-Za-z0-9_.+-]{1,100}$/.test(name) && !/^\.+$/.test(name)
}

/** What `rc-update show` lists: names in the runlevels that a machine comes up through. */
export async function runlevelServices(reader: ConfigurationReader): Promise<readonly RunlevelService[]> {
  const found = new Map<string, RunlevelService>()
  for (const runlevel of RUNLEVELS) {
    for (const name of await reader.list(`etc/runlevels/${runlevel}`)) {
      if (!isServiceName(name) || found.has(name) || !(await reader.exists(`etc/init.d/${name}`))) continue
      found.set(name, { name, runlevel })
    }
  }
  return [...found.values()]
}

export interface OpenrcScript {
  readonly text: string
  readonly settings: ShellAssignments
}

/**
 * A service script with its settings, as openrc-run(8) reads them: /etc/conf.d/NAME without what follows a dot, then
 * /etc/conf.d/NAME, then the script's own assignments. Undefined when there is no such script.
 * @param valueOf what a variable's value counts as
 */
export async function readOpenrcScript(
  reader: ConfigurationReader,
  name: string,
  valueOf?: (name: string, value: string) => string,
): Promise<OpenrcScript | undefined> {
  if (!isServiceName(name)) return undefined
  const text = await reader.text(`etc/init.d/${name}`)
  if (text === undefined) return undefined
  const known = new Map(['RC_SVCNAME', 'SVCNAME', 'RC_SERVICE'].map((variable) => [variable, name]))
  let settings: ShellAssignments = { values: known, unknown: new Set(), exported: new Set() }
  for (const file of new Set([name.split('.')[0], name])) {
    settings = readShellAssignments((await reader.text(`etc/conf.d/${file}`)) ?? '', settings, valueOf)
  }
  return { text, settings: readShellAssignments(text, settings, valueOf) }
}
