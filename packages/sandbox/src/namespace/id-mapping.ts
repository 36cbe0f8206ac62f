import { C2mError, ExitCode, findTool } from '@c2m/process'
import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'

/** Ids that a container has: 0 to 65535, so that 'nobody' (65534) is among them. */
export const ID_COUNT = 65536

/**
 * The container's ids 0 to 65535 are this many consecutive ids of the host:
 *
 *     container  0 ................ 65535
 *     host       uid .............. uid + 65535       (gid likewise)
 *
 * The user's own id is not among them, and for root it is not id 0: whatever the image's programs do, to the host they
 * are nobody that owns anything but the sandbox's folder. (Rootless podman maps 0 to the user, which is convenient for
 * files that are shared with the host; here nothing is shared.)
 */
export interface IdMapping {
  readonly uid: number
  readonly gid: number
}

/**
 * Where root's containers are mapped when /etc/subuid has no entry for root: from 0x70000000 on, above what
 * systemd-nspawn hands out (systemd's UIDS-GIDS.md: 524288 to 1879048191) and below its foreign range.
 */
const ROOT_RANGE = { first: 0x70000000, end: 2147352576 }

interface Range {
  readonly owner: string
  readonly first: number
  readonly count: number
}

/**
 * The ids to run with.
 * @throws C2M_SANDBOX_IDS, C2M_TOOL_MISSING (exit code 3)
 */
export async function chooseMapping(): Promise<IdMapping> {
  const [subuid, subgid] = await Promise.all([readRanges('/etc/subuid'), readRanges('/etc/subgid')])
  const user = currentUser()
  const uid = ownRange(subuid, user)
  const gid = ownRange(subgid, user)
  if (user.uid === 0) return { uid: uid ?? freeRange(subuid), gid: gid ?? freeRange(subgid) }
  if (uid === undefined || gid === undefined) {
    const file = uid === undefined ? '/etc/subuid' : '/etc/subgid'
    throw new C2mError('C2M_SANDBOX_IDS', `${file} gives ${user.name} no ${ID_COUNT} subordinate ids`, {
      hint: `as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user.name} (another range when others have this one)`,
      exitCode: ExitCode.missing,
    })
  }
  for (const tool of ['newuidmap', 'newgidmap']) {
    if ((await findTool(tool)) !== undefined) continue
    throw new C2mError('C2M_TOOL_MISSING', `a sandbox without root needs the program ${tool}, which is not installed`, {
      hint: 'install it: apt-get install uidmap',
      exitCode: ExitCode.missing,
    })
  }
  return { uid, gid }
}

function currentUser(): { name: string; uid: number } {
  const uid = process.getuid?.() ?? -1
  try {
    return { name: userInfo().username, uid }
  } catch {
    return { name: String(uid), uid } // an id without an entry in /etc/passwd
  }
}

async function readRanges(path: string): Promise<Range[]> {
  return parseRanges(await readFile(path, 'utf8').catch(() => ''))
}

/** subuid(5): `name or id:first:count` on each line. Lines that are none of these are passed over. */
export function parseRanges(text: string): Range[] {
  const ranges: Range[] = []
  for (const line of text.split('\n')) {
    const match = /^([^:#\s]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line)
    if (match === null) continue
    const [owner = '', first, count] = match.slice(1)
    ranges.push({ owner, first: Number(first), count: Number(count) })
  }
  return ranges
}

export function ownRange(ranges: readonly Range[], user: { name: string; uid: number }): number | undefined {
  const mine = ranges.filter(({ owner }) => owner === user.name || owner === String(user.uid))
  return mine.find(({ first, count }) => count >= ID_COUNT && first > 0)?.first
}

/** @throws C2M_SANDBOX_IDS when others have it all */
export function freeRange(ranges: readonly Range[]): number {
  for (let first = ROOT_RANGE.first; first + ID_COUNT <= ROOT_RANGE.end; first += ID_COUNT) {
    if (!ranges.some((range) => range.first < first + ID_COUNT && first < range.first + range.count)) return first
  }
  throw new C2mError('C2M_SANDBOX_IDS', `no ${ID_COUNT} ids from ${ROOT_RANGE.first} on are free`, {
    hint: 'add a line "root:FIRST:65536" to /etc/subuid and /etc/subgid',
    exitCode: ExitCode.missing,
  })
}
