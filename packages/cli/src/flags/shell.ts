import type { ShellRequest } from '@c2m/core'
import { usageError } from '@c2m/process'
import { parseSize } from './size.js'

/** SOURCE:TARGET[:ro|:rw]. @throws C2M_VOLUME */
export function parseVolume(text: string): ShellRequest['volumes'][number] {
  const match = /^(.+?):(\/[^:]*)(?::(ro|rw))?$/.exec(text)
  if (match === null)
    throw usageError(
      'C2M_VOLUME',
      `'${text}' is no volume`,
      'write SOURCE:/TARGET or SOURCE:/TARGET:ro, e.g. ./data:/data',
    )
  const [, source = '', target = '', access] = match
  return { source, target, readOnly: access === 'ro' }
}

/** NAME=VALUE, or NAME with the value that it has here. @throws C2M_ENV */
export function parseEnvironment(words: readonly string[], own: NodeJS.ProcessEnv): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const word of words) {
    const at = word.indexOf('=')
    const name = at === -1 ? word : word.slice(0, at)
    if (name === '') throw usageError('C2M_ENV', `'${word}' is no variable`, 'write NAME=VALUE, or NAME')
    const value = at === -1 ? own[name] : word.slice(at + 1)
    if (value !== undefined) environment[name] = value
  }
  return environment
}

/** @throws C2M_SIZE, C2M_LIMIT */
export function parseLimits(flags: { memory?: string; cpus?: string; pids?: number }): ShellRequest['limits'] {
  const { memory, cpus, pids } = flags
  return {
    ...(memory === undefined ? {} : { memory: parseSize(memory) }),
    ...(cpus === undefined ? {} : { cpus: parseCpus(cpus) }),
    ...(pids === undefined ? {} : { pids }),
  }
}

function parseCpus(text: string): number {
  const cpus = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (cpus >= 0.01 && cpus <= 10_000) return cpus
  throw usageError('C2M_LIMIT', `'${text}' is no number of processors`, 'write it as 2 or 1.5')
}
