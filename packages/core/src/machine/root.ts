import { C2mError, ExitCode, isC2mError } from '@c2m/process'
import { addBootEvidence, LEAST_SCORE, scoreVolume, type Candidate } from './candidates.js'
import { findVolume } from './volume-name.js'
import { describeVolume, type Volume } from './volume.js'

/** All volumes that can be read, weighed, the best first. What cannot be opened is told to `onFault`. */
export async function findCandidates(
  volumes: readonly Volume[],
  menus: readonly string[],
  onFault: (volume: Volume, error: Error) => void,
): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = []
  for (const volume of volumes) {
    if (volume.open === undefined) continue
    try {
      candidates.push(await scoreVolume(volume, await volume.open(), volumes))
    } catch (error) {
      if (isC2mError(error) && error.code === 'C2M_INTERRUPTED') throw error
      onFault(volume, error as Error)
    }
  }
  return (await addBootEvidence(candidates, volumes, menus)).sort((a, b) => b.score - a.score)
}

/**
 * The machine's root: the one asked for, else the best candidate.
 * @throws C2M_ROOT_NOT_FOUND, C2M_ROOT_AMBIGUOUS, C2M_ROOT_UNKNOWN, C2M_ROOT_UNREADABLE
 */
export function chooseRoot(
  asked: string | undefined,
  candidates: readonly Candidate[],
  volumes: readonly Volume[],
): Candidate {
  if (asked !== undefined) return namedRoot(asked, candidates, volumes)
  const [best, second] = candidates
  if (best === undefined || best.score < LEAST_SCORE) throw notFound(volumes)
  if (second?.score !== best.score) return best
  const equals = candidates.filter(({ score }) => score === best.score)
  const listed = equals.map(({ volume, reasons }) => `${describeVolume(volume)}: ${reasons.join(', ')}`)
  throw new C2mError(
    'C2M_ROOT_AMBIGUOUS',
    `${equals.length} volumes look alike as the machine's root:\n  ${listed.join('\n  ')}`,
    { hint: `choose one with --root, e.g. --root ${rootWord(best.volume)}`, exitCode: ExitCode.usage },
  )
}

function namedRoot(asked: string, candidates: readonly Candidate[], volumes: readonly Volume[]): Candidate {
  const volume = findVolume(volumes, asked)
  if (volume === undefined) {
    throw new C2mError('C2M_ROOT_UNKNOWN', `no volume of this disk is '${asked}'`, {
      hint: `there are: ${volumes.map(describeVolume).join('; ') || 'none'}; name one by its number, UUID=… or LABEL=…`,
      exitCode: ExitCode.usage,
    })
  }
  const candidate = candidates.find((one) => one.volume === volume)
  if (candidate === undefined) throw unreadable(volume)
  return candidate
}

function rootWord({ name, partition }: Volume): string {
  return partition === undefined ? name : String(partition.number)
}

function notFound(volumes: readonly Volume[]): C2mError {
  const locked = volumes.find(
    ({ filesystem, open }) => filesystem !== undefined && open === undefined && needsReader(filesystem.type),
  )
  if (locked !== undefined) return unreadable(locked)
  const [only, ...others] = volumes
  if (only?.blank === true && only.partition === undefined && others.length === 0) {
    return new C2mError('C2M_ROOT_NOT_FOUND', 'the disk is blank: it begins and ends with zeros', {
      hint: 'check that it is the right file and that it was copied completely',
    })
  }
  return new C2mError(
    'C2M_ROOT_NOT_FOUND',
    `no volume of this disk looks like a Linux machine's root; there are: ${volumes.map(describeVolume).join('; ') || 'none'}`,
    { hint: 'c2m inspect shows what speaks for and against each; --root chooses one' },
  )
}

/** File systems and containers of file systems that another reader may be able to read. */
const OTHER_READERS: Readonly<Record<string, string>> = {
  LVM2_member: '--reader nbd (as root) or --reader guestfs',
  crypto_LUKS: '--reader nbd (as root) or --reader guestfs, with --passphrase-file',
  linux_raid_member: '--reader guestfs',
  xfs: '--reader nbd (as root) or --reader guestfs',
  btrfs: '--reader nbd (as root) or --reader guestfs',
  f2fs: '--reader nbd (as root) or --reader guestfs',
  zfs_member: 'a running machine: c2m vm2container ssh://HOST',
  squashfs: '--reader nbd (as root) or --reader guestfs',
  erofs: '--reader nbd (as root) or --reader guestfs',
}

export function needsReader(type: string): boolean {
  return type in OTHER_READERS
}

export function otherReader(type: string): string | undefined {
  return OTHER_READERS[type]
}

function unreadable(volume: Volume): C2mError {
  const type = volume.filesystem?.type ?? 'nothing known'
  const reader = otherReader(type)
  return new C2mError('C2M_ROOT_UNREADABLE', `${volume.name} holds ${type}, which this reader cannot read`, {
    hint: reader === undefined ? 'choose another volume with --root' : `use ${reader}`,
  })
}
