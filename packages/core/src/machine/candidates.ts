import { findOsRelease, parseFstab, readText } from '@c2m/linux'
import type { EntryType, Rootfs } from '@c2m/plugin-api'
import { findMounted, findVolume } from './volume-name.js'
import type { Volume } from './volume.js'

/** A volume that may be the machine's root, with what speaks for it and against it. */
export interface Candidate {
  readonly volume: Volume
  readonly rootfs: Rootfs
  readonly score: number
  /** E.g. '+50 has /etc, /bin and /etc/fstab or /etc/hosts'. */
  readonly reasons: readonly string[]
}

/** Below this nothing speaks for a root. */
export const LEAST_SCORE = 20
/** Roots that a boot menu may name. */
const MOST_SOURCES = 100

/** Evidence: a tree is opened, looked at and weighed; nothing on the disk is believed alone. */
export async function scoreVolume(volume: Volume, rootfs: Rootfs, volumes: readonly Volume[]): Promise<Candidate> {
  const reasons: string[] = []
  let score = 0
  const weigh = (points: number, holds: boolean, because: string): void => {
    if (!holds) return
    score += points
    reasons.push(`${points > 0 ? '+' : '−'}${Math.abs(points)} ${because}`)
  }
  const typeOf = async (path: string): Promise<EntryType | undefined> => {
    const target = await rootfs.resolve(path)
    return target === undefined ? undefined : (await rootfs.stat(target))?.type
  }
  const has = async (path: string, type: EntryType) => (await typeOf(path)) === type

  const fstab = parseFstab((await readText(rootfs, 'etc/fstab').catch(() => undefined)) ?? '')
  const hasEtc = await has('etc', 'directory')
  const known = (await has('etc/fstab', 'file')) || (await has('etc/hosts', 'file'))
  // merged into a /usr that is a volume of its own
  const hasUsr = fstab.some(({ target }) => target === '/usr')
  const hasBin = (await has('bin', 'directory')) || (hasUsr && (await rootfs.stat('bin'))?.type === 'symlink')
  const isRoot = hasEtc && hasBin && known
  const os = await findOsRelease(rootfs).catch(() => undefined)
  weigh(50, isRoot, 'has /etc, /bin, and /etc/fstab or /etc/hosts')
  weigh(20, os !== undefined, `is ${os?.prettyName ?? ''}`)
  weigh(15, volume.partition?.role === 'root', 'its partition has the type of a root')
  weigh(10, volume.filesystem?.ext4?.lastMounted === '/', 'was last mounted on /')
  const own = fstab.find(({ target }) => target === '/')
  weigh(10, own !== undefined && findMounted(volumes, own) === volume, 'its /etc/fstab mounts it on /')
  weigh(-40, (await has('.snapshots', 'directory')) && !hasEtc, 'holds snapshots')
  weigh(-40, await has('timeshift/snapshots', 'directory'), 'holds snapshots of timeshift')
  weigh(-30, !isRoot && os === undefined && (await isPart(has)), 'is only a part of a machine')
  weigh(-30, (await has('casper', 'directory')) || (await has('LiveOS', 'directory')), 'is an installation medium')
  return { volume, rootfs, score, reasons }
}

/** Looks like /boot, /usr, /var or /home. */
async function isPart(has: (path: string, type: EntryType) => Promise<boolean>): Promise<boolean> {
  const marks: readonly (readonly string[])[] = [
    ['EFI'],
    ['efi'],
    ['bin', 'lib', 'share'],
    ['log', 'spool', 'lib'],
    ['lost+found'],
  ]
  for (const names of marks) {
    const all = await Promise.all(names.map((name) => has(name, 'directory')))
    if (all.every(Boolean)) return true
  }
  return false
}

/** Boot menus in any of the trees that name a candidate as the root: evidence that only shows when all are known. */
export async function addBootEvidence(
  candidates: readonly Candidate[],
  volumes: readonly Volume[],
  menus: readonly string[],
): Promise<Candidate[]> {
  const named = new Set<Volume>()
  for (const { rootfs } of candidates) {
    for (const path of menus) {
      const text = (await readText(rootfs, path).catch(() => undefined)) ?? ''
      const sources = new Set(Array.from(text.matchAll(/\broot=(\S{1,255})/g), ([, source = '']) => source))
      for (const source of [...sources].slice(0, MOST_SOURCES)) {
        const volume = findVolume(volumes, source.replace(/^\(|\)$/g, ''))
        if (volume !== undefined) named.add(volume)
      }
    }
  }
  return candidates.map((candidate) =>
    named.has(candidate.volume)
      ? {
          ...candidate,
          score: candidate.score + 5,
          reasons: [...candidate.reasons, '+5 a boot menu names it as the root'],
        }
      : candidate,
  )
}
