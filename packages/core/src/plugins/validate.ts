import type { Contribution, C2mPlugin } from '@c2m/plugin-api'

/** The contract versions that this core speaks. */
export const API_VERSIONS: readonly number[] = [1]

const FUNCTIONS: Record<Contribution['kind'], readonly string[]> = {
  distro: ['detect', 'traits', 'toMachine', 'install', 'kernels'],
  bootloader: ['supports', 'partitions', 'packages', 'install'],
}

const OPTIONAL_FUNCTIONS: Record<Contribution['kind'], readonly string[]> = {
  distro: ['toImage'],
  bootloader: ['recognize'],
}

const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/

/** What is wrong with a plugin's shape, in words for its author; undefined when nothing is. */
export function findFault(value: unknown): string | undefined {
  if (!isRecord(value)) return 'it exports no plugin object (as default, or named "plugin")'
  if (typeof value.name !== 'string' || value.name === '') return 'its "name" is not a string'
  if (!API_VERSIONS.includes(value.apiVersion as number)) {
    return `its apiVersion is ${show(value.apiVersion)}; this c2m speaks ${API_VERSIONS.join(', ')}`
  }
  if (!Array.isArray(value.contributes)) return 'its "contributes" is not a list'
  for (const [index, contribution] of value.contributes.entries()) {
    const fault = contributionFault(contribution)
    if (fault !== undefined) return `contributes[${index}]: ${fault}`
  }
  return undefined
}

export function asPlugin(value: unknown): C2mPlugin {
  return value as C2mPlugin
}

function contributionFault(value: unknown): string | undefined {
  if (!isRecord(value)) return 'it is not an object'
  const kind = value.kind
  if (kind !== 'distro' && kind !== 'bootloader') return `its kind is ${show(kind)}; known are distro, bootloader`
  if (typeof value.id !== 'string' || !ID.test(value.id)) {
    return `its id is ${show(value.id)}; an id is lower-case letters, digits, '.', '_' and '-'`
  }
  if (typeof value.summary !== 'string') return `${value.id}: its "summary" is not a string`
  for (const name of FUNCTIONS[kind]) {
    if (typeof value[name] !== 'function') return `${value.id}: "${name}" is not a function`
  }
  for (const name of OPTIONAL_FUNCTIONS[kind]) {
    if (value[name] !== undefined && typeof value[name] !== 'function')
      return `${value.id}: "${name}" is not a function`
  }
  if (kind !== 'bootloader') return undefined
  for (const name of ['firmware', 'architectures']) {
    if (!Array.isArray(value[name]) || value[name].length === 0) return `${value.id}: "${name}" is not a list of names`
  }
  const commands = value.diskCommands
  if (commands !== undefined && !(Array.isArray(commands) && commands.every(isCommandName))) {
    return `${value.id}: "diskCommands" is not a list of programs' names`
  }
  return tracesFault(value.traces, value.id)
}

function tracesFault(traces: unknown, id: string): string | undefined {
  if (traces === undefined) return undefined
  if (!isRecord(traces)) return `${id}: its "traces" is not an object`
  if (!areStrings(traces.files, /^\/./)) return `${id}: "traces.files" is not a list of absolute globs`
  if (!areStrings(traces.services, /^[^/]+$/)) return `${id}: "traces.services" is not a list of services' names`
  return undefined
}

function areStrings(value: unknown, form: RegExp): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && form.test(one))
}

function isCommandName(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? `a ${typeof value}`)
}
