import type { Rootfs } from '@c2m/plugin-api'
import { usageError } from '@c2m/process'
import { allRecords, findRecord, readAccountFiles } from '@c2m/linux'

/** Who runs a command. */
export interface ShellUser {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
  readonly home: string
}

/** The sandbox has the ids below it. */
const ID_COUNT = 65_536

/**
 * Finds a user in the image as its configuration names one (OCI image-spec, config.md, "User"): `user`, `uid`, `user:group`,
 * `uid:gid`, `uid:group`, `user:gid`. Without a group it is that of /etc/passwd, with the groups whose member the user is.
 * @throws C2M_SHELL_USER (usage)
 */
export async function resolveUser(spec: string, rootfs: Rootfs): Promise<ShellUser> {
  const { passwd, group } = await readAccountFiles(rootfs)
  const [name = '', groupName, ...more] = spec.split(':')
  if (more.length > 0) throw unknown(spec, 'it has more than one colon')
  const wanted = name === '' ? '0' : name
  const account =
    findRecord(passwd, wanted) ?? allRecords(passwd).find(([, , uid]) => isId(wanted) && Number(uid) === Number(wanted))
  if (account === undefined && !isId(wanted)) throw unknown(spec, `/etc/passwd of the image has no user ${wanted}`)
  const [accountName, , uid = wanted, ownGid = '0', , home = ''] = account ?? []
  const named = groupName ? findRecord(group, groupName)?.[2] : undefined
  if (groupName && named === undefined && !isId(groupName))
    throw unknown(spec, `/etc/group of the image has no group ${groupName}`)
  const memberOf = allRecords(group).filter(([, , , members = '']) => members.split(',').includes(accountName ?? ''))
  return {
    uid: idOf(uid, spec),
    gid: idOf(groupName ? (named ?? groupName) : ownGid, spec),
    groups: groupName || accountName === undefined ? [] : memberOf.map(([, , gid = '']) => idOf(gid, spec)),
    home: home.startsWith('/') ? home : '/',
  }
}

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text)
}

function idOf(text: string, spec: string): number {
  if (isId(text) && Number(text) < ID_COUNT) return Number(text)
  throw unknown(spec, `the sandbox has ids from 0 to ${ID_COUNT - 1}, not ${text}`)
}

function unknown(spec: string, because: string): Error {
  return usageError('C2M_SHELL_USER', `nobody can be '${spec}' in the image: ${because}`, 'choose one with --user')
}
