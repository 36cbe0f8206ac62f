import type { ContainerDirectory } from '@c2m/plugin-api'
import type { ConfigurationReader } from '../files/configuration-reader.js'
import { baseName } from '../files/paths.js'
import { modeOf } from '../systemd/service.js'
import type { Accounts } from './accounts.js'
import type { NeededDirectory } from './foreground/form.js'

const TMPFILES = ['/etc/tmpfiles.d/*.conf', '/usr/lib/tmpfiles.d/*.conf']

/**
 * Directories below /run that tmpfiles.d(5) makes at boot and that are a service's: by the user it runs as, the name of the
 * file or the directory's own.
 */
export async function temporaryDirectories(
  reader: ConfigurationReader,
  service: { readonly names: readonly string[]; readonly user: string | undefined },
): Promise<readonly NeededDirectory[]> {
  const found: NeededDirectory[] = []
  for (const pattern of TMPFILES) {
    for (const file of await reader.matching(pattern)) {
      const fileName = baseName(file).replace(/\.conf$/, '')
      for (const line of ((await reader.text(file)) ?? '').split('\n')) {
        const [type = '', rawPath = '', mode, user = '-', group = '-'] = line.trim().split(/\s+/)
        const path = rawPath.replace(/^(?:%t|\/var\/run)\//, '/run/')
        if (!/^[dDqQv][!+=~^-]*$/.test(type) || !/^\/run\/[A-Za-z0-9._@/-]+$/.test(path)) continue
        const isOwn =
          (service.user !== undefined && service.user !== 'root' && user === service.user) ||
          service.names.includes(fileName) ||
          service.names.includes(path.split('/')[2] ?? '')
        if (!isOwn) continue
        found.push({
          path,
          mode: modeOf(mode?.replace(/^[~:]+/, '')) ?? 0o755,
          ...(user === '-' ? {} : { user }),
          ...(group === '-' ? {} : { group }),
        })
      }
    }
  }
  return found
}

/** What `mkdir`, `install -d` and `chown` in front of a service make; undefined when a command is none of these. */
export function directoriesMadeBy(
  argv: readonly string[],
  before: readonly NeededDirectory[],
): readonly NeededDirectory[] | undefined {
  const [program = '', ...words] = argv
  const options = new Map<string, string>()
  const operands: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const [, long, value] = /^--(mode|owner|group)=(.*)$/.exec(word) ?? []
    if (long !== undefined) options.set(long[0]!, value ?? '')
    else if (/^-[mog]$/.test(word)) options.set(word[1]!, words[++at] ?? '')
    else if (/^-m[0-7]+$/.test(word)) options.set('m', word.slice(2))
    else if (word.startsWith('-')) options.set(word.replace(/^-+/, ''), '')
    else operands.push(word)
  }
  if (operands.some((operand, at) => !(baseName(program) === 'chown' && at === 0) && !isPlainPath(operand)))
    return undefined
  const isInstall =
    baseName(program) === 'install' && [...options.keys()].some((option) => /^(?:d|directory)$/.test(option))
  if (isInstall || baseName(program) === 'mkdir') {
    return operands.map((path) => ({
      path,
      mode: modeOf(options.get('m')) ?? 0o755,
      ...(options.has('o') ? { user: options.get('o') } : {}),
      ...(options.has('g') ? { group: options.get('g') } : {}),
    }))
  }
  if (baseName(program) !== 'chown') return undefined
  const [owner = '', ...paths] = operands
  const [user = '', group] = owner.split(/[:.]/)
  const named = new Set(paths)
  const changed = before.filter(({ path }) => named.has(path))
  if (changed.length < paths.length) return undefined
  return changed.map((one) => ({ ...one, user, ...(group === undefined || group === '' ? {} : { group }) }))
}

function isPlainPath(path: string): boolean {
  return /^\/[A-Za-z0-9._@+/-]+$/.test(path) && !path.split('/').includes('..')
}

/** By path, the last one of each, with numbers for names; a user or group that does not exist is root. */
export function containerDirectories(
  needed: readonly NeededDirectory[],
  accounts: Accounts,
): readonly ContainerDirectory[] {
  const found = new Map<string, ContainerDirectory>()
  for (const { path, mode, user, group } of needed) {
    const account = user === undefined ? undefined : accounts.user(user)
    const real = path.replace(/^\/var\/run\//, '/run/').replace(/^\/var\/lock(?=\/)/, '/run/lock')
    if (!isPlainPath(real)) continue
    const gid = (group === undefined ? undefined : accounts.gid(group)) ?? account?.gid ?? 0
    found.set(real, { path: real, mode, uid: account?.uid ?? 0, gid })
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}
