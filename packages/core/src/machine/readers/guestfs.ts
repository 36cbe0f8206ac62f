import { randomUUID } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { shareDisk } from '@c2m/disk'
import { C2mError, ExitCode, isC2mError, type CleanupStack } from '@c2m/process'
import type { OpenedMachine, ReaderContext } from '../reader.js'
import { findVolume } from '../volume-name.js'
import { GuestfsSession } from './guestfs-session.js'
import { missingPassphrase, readPassphrase, wrongPassphrase } from './passphrase.js'
import { openSpooledTar } from './spooled-tar.js'
import { readVolumes } from './block-volumes.js'

export interface GuestfsContext extends ReaderContext {
  /** c2m's cache folder. */
  readonly cache: string
}

/** Encrypted volumes in volumes in encrypted volumes: deeper is nobody's machine. */
const MOST_LAYERS = 4
const LUKS = 'crypto_LUKS'

/**
 * Reads a machine by libguestfs: whatever a Linux kernel can read, without root. The disk is checked by c2m and handed over
 * as plain blocks. The tree is kept in the temporary folder.
 * @throws C2M_TOOL_MISSING, C2M_GUESTFS, C2M_PASSPHRASE, C2M_ROOT_NOT_FOUND, C2M_ROOT_AMBIGUOUS, C2M_DISK_…, C2M_TAR_…,
 *   C2M_FILE_…, C2M_INTERRUPTED
 */
export async function openGuestfs(
  path: string,
  context: GuestfsContext,
  cleanup: CleanupStack,
): Promise<OpenedMachine> {
  const spool = join(context.temporaryFolder, `guestfs-${randomUUID()}.tar`)
  cleanup.defer(() => rm(spool, { force: true }).catch(() => undefined))
  const { root, mounts } = await spoolMachine(path, spool, context)
  context.reporter.progress((await stat(spool)).size)
  const rootfs = await openSpooledTar(spool, context, cleanup)
  return { rootfs, root, reasons: ['libguestfs found a machine there'], mounts }
}

type Found = Pick<OpenedMachine, 'root' | 'mounts'>

async function spoolMachine(path: string, spool: string, context: GuestfsContext): Promise<Found> {
  await using disk = await shareDisk(path, context)
  const { volumes } = await readVolumes(disk.source, path, context.reporter)
  await using session = await GuestfsSession.start(disk.socket, context.cache, context)
  await unlock(session, context.passphraseFile)
  const roots = await session.run('inspect-os')
  const root = await chooseRoot(session, roots, context.root, (name) => {
    const volume = findVolume(volumes, name)
    return volume === undefined ? undefined : `/dev/sda${volume.partition?.number ?? ''}`
  })
  const mounts = await mount(session, root, roots.includes(root), (message) => context.reporter.warn(message))
  await session.run('tar-out', '/', spool, 'numericowner:true', 'xattrs:true', 'acls:true', 'selinux:false')
  return { root, mounts }
}

/** Opens what is encrypted, in partitions and then in logical volumes; the kernel sees the rest by itself. */
async function unlock(session: GuestfsSession, passphraseFile: string | undefined): Promise<void> {
  const opened = new Set<string>()
  for (let layer = 0; layer < MOST_LAYERS; layer++) {
    const locked: string[] = []
    for (const command of ['list-devices', 'list-partitions', 'lvs']) {
      for (const device of await session.run(command)) {
        // of an extended partition, for one, it cannot be told
        const [type] = opened.has(device) ? [] : await session.attempt('vfs-type', device)
        if (type === LUKS) locked.push(device)
      }
    }
    if (locked.length === 0) return
    for (const device of locked) {
      if (passphraseFile === undefined) throw missingPassphrase(guestName(device))
      const key = await readPassphrase(passphraseFile)
      await session.runWithKey(key, 'luks-open-ro', device, `c2m${opened.size}`).catch((error: unknown) => {
        throw isC2mError(error) && /luks|crypt/i.test(error.message) ? wrongPassphrase(guestName(device)) : error
      })
      opened.add(device)
    }
    await session.run('lvm-scan', 'true')
  }
}

async function chooseRoot(
  session: GuestfsSession,
  roots: readonly string[],
  asked: string | undefined,
  deviceOf: (name: string) => string | undefined,
): Promise<string> {
  if (asked !== undefined) return namedRoot(session, asked, deviceOf)
  const [only, ...others] = roots
  if (only === undefined) {
    throw new C2mError('C2M_ROOT_NOT_FOUND', 'libguestfs finds no machine on this disk', {
      hint: 'c2m inspect shows what is on it; --root chooses a partition',
    })
  }
  if (others.length === 0) return only
  const listed: string[] = []
  for (const root of roots) {
    const [name = ''] = await session.run('inspect-get-product-name', root)
    listed.push(`\n  ${guestName(root)}: ${name}`)
  }
  throw new C2mError('C2M_ROOT_AMBIGUOUS', `${roots.length} machines are on this disk:${listed.join('')}`, {
    hint: `choose one with --root, e.g. --root ${guestName(only).replace(/^partition /, '')}`,
    exitCode: ExitCode.usage,
  })
}

async function namedRoot(
  session: GuestfsSession,
  asked: string,
  deviceOf: (name: string) => string | undefined,
): Promise<string> {
  const device = deviceOf(asked)
  if (device !== undefined) return device
  const [, tag, value = ''] = /^(UUID|LABEL)=(.+)$/.exec(asked) ?? []
  if (tag === 'UUID') return (await session.run('findfs-uuid', value))[0] ?? asked
  if (tag === 'LABEL') return (await session.run('findfs-label', value))[0] ?? asked
  return asked
}

/** The root, and what its fstab says when libguestfs knows it as a machine. What cannot be mounted is told to `warn`. */
async function mount(
  session: GuestfsSession,
  root: string,
  isMachine: boolean,
  warn: (message: string) => void,
): Promise<OpenedMachine['mounts']> {
  const points = isMachine ? pairs(await session.run('inspect-get-mountpoints', root)) : new Map([['/', root]])
  const mounts: { path: string; from: string }[] = []
  for (const [path, device] of [...points].sort(([a], [b]) => a.length - b.length)) {
    if (path === '/') {
      await session.run('mount-ro', device, path)
      continue
    }
    await session.attempt('mount-ro', device, path)
    const mounted = [...pairs(await session.run('mountpoints')).values()].includes(path)
    if (mounted) mounts.push({ path, from: guestName(device) })
    else warn(`${path} is missing: libguestfs cannot mount ${guestName(device)}`)
  }
  return mounts
}

/** 'key: value' lines, the first colon that a blank follows ends the key. */
function pairs(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const at = line.indexOf(': ')
      return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 2)]
    }),
  )
}

/** The machine of libguestfs has one disk, sda. */
function guestName(device: string): string {
  return device.replace(/^\/dev\/sda(\d+)$/, 'partition $1').replace(/^\/dev\/sda$/, 'the whole disk')
}
