import type { Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { findTool, run } from '@c2m/process'
import { createHash, type Hash } from 'node:crypto'
import { lstat, mkdir, open, readdir, readFile, readlink, rmdir } from 'node:fs/promises'
import { encodeName } from '@c2m/rootfs'

const E2FSPROGS = ['e2fsck', 'dumpe2fs', 'debugfs', 'resize2fs', 'tune2fs'] as const

/** Says loudly which judges are missing. */
export async function missingTools(): Promise<string[]> {
  const missing: string[] = []
  for (const tool of E2FSPROGS)
    if ((await findTool(tool)) === undefined) missing.push(`${tool} (apt-get install e2fsprogs)`)
  if (missing.length > 0) console.warn(`SKIPPED, these are not installed: ${missing.join(', ')}`)
  return missing
}

/** What the judge by kernel lacks: root, loop devices, getfattr. */
export async function missingForMount(): Promise<string[]> {
  const missing: string[] = []
  if (process.getuid?.() !== 0) missing.push('root')
  if ((await lstat('/dev/loop-control').catch(() => undefined)) === undefined) missing.push('loop devices')
  if ((await findTool('getfattr')) === undefined) missing.push('getfattr (apt-get install attr)')
  if (missing.length > 0) console.warn(`SKIPPED, mounting by the kernel needs: ${missing.join(', ')}`)
  return missing
}

/** Growing a mounted file system needs CAP_SYS_RESOURCE (capabilities(7), bit 24), which root in a container may lack. */
export async function mayResizeOnline(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const effective = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  const may = ((effective >> 24n) & 1n) === 1n
  if (!may) console.warn('SKIPPED, growing a mounted file system needs CAP_SYS_RESOURCE')
  return may
}

/** @throws with e2fsck's words unless the file system is clean */
export async function fsck(image: string): Promise<void> {
  await run('/usr/sbin/e2fsck', ['-fn', image])
}

export async function debugfs(image: string, request: string): Promise<string> {
  return (await run('/usr/sbin/debugfs', ['-R', request, image])).stdout
}

export async function withMount<T>(image: string, folder: string, options: string, use: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true })
  await run('mount', ['-t', 'ext4', '-o', `loop,${options}`, image, folder])
  try {
    return await use()
  } finally {
    await run('umount', [folder])
    await rmdir(folder)
  }
}

/** Everything that can be seen of a tree, one line for each name. */
export type Picture = ReadonlyMap<string, string>

interface Seen {
  readonly type: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: string
  readonly more: string
  readonly xattrs: readonly string[]
}

function line({ type, mode, uid, gid, mtime, more, xattrs }: Seen): string {
  return [type, mode.toString(8), uid, gid, mtime, more, ...xattrs].join(' ')
}

export async function pictureOfRootfs(rootfs: Rootfs): Promise<Picture> {
  const picture = new Map<string, string>()
  const firstNames = new Map<number, string>()
  const entries: RootfsEntry[] = []
  for await (const entry of rootfs.walk()) entries.push(entry)
  for (const entry of entries) {
    const path = latin1(entry.path)
    if (!firstNames.has(entry.inode)) firstNames.set(entry.inode, path)
    picture.set(
      path,
      line({
        type: entry.type,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        mtime: `${entry.mtime.seconds}.${entry.mtime.nanoseconds}`,
        more: await detailsOfEntry(rootfs, entry, firstNames.get(entry.inode)!),
        xattrs: [...entry.xattrs].map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`).sort(),
      }),
    )
  }
  return picture
}

async function detailsOfEntry(rootfs: Rootfs, entry: RootfsEntry, firstName: string): Promise<string> {
  if (entry.type === 'symlink') return latin1(entry.linkTarget!)
  if (entry.type === 'directory') return ''
  const first = entry.nlink > 1 ? `${entry.nlink}:${firstName}` : ''
  if (entry.device !== undefined) return `${entry.device.major}:${entry.device.minor}${first}`
  if (entry.type !== 'file') return first
  const hash = createHash('sha256')
  let end = 0
  for await (const { offset, data } of rootfs.stream(entry.path)) {
    hashZeros(hash, offset - end)
    hash.update(data)
    end = offset + data.length
  }
  hashZeros(hash, entry.size - end)
  return `${entry.size} ${hash.digest('hex')} ${first}`
}

/** A mounted tree, seen through system calls. */
export async function pictureOfFolder(folder: string): Promise<Picture> {
  const picture = new Map<string, string>()
  const xattrs = await allXattrs(folder)
  const firstNames = new Map<bigint, string>()
  const visit = async (path: string): Promise<void> => {
    const place = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path, 'latin1')])
    const stats = await lstat(place, { bigint: true })
    if (!firstNames.has(stats.ino)) firstNames.set(stats.ino, path)
    const type = typeOf(Number(stats.mode))
    const seconds = stats.mtimeNs / 1_000_000_000n - (stats.mtimeNs % 1_000_000_000n < 0n ? 1n : 0n)
    const first = stats.nlink > 1n ? `${stats.nlink}:${firstNames.get(stats.ino)}` : ''
    let more = first
    if (type === 'directory') more = ''
    if (type === 'symlink') more = (await readlink(place, { encoding: 'buffer' })).toString('latin1')
    if (type === 'file') more = `${stats.size} ${await hashFile(place, Number(stats.size))} ${first}`
    if (type === 'character' || type === 'block') more = `${deviceOf(stats.rdev)}${first}`
    picture.set(
      path,
      line({
        type,
        mode: Number(stats.mode) & 0o7777,
        uid: Number(stats.uid),
        gid: Number(stats.gid),
        mtime: `${seconds}.${stats.mtimeNs - seconds * 1_000_000_000n}`,
        more,
        xattrs: xattrs.get(path) ?? [],
      }),
    )
    if (type !== 'directory') return
    const names = (await readdir(place, { encoding: 'buffer' })).map((name) => name.toString('latin1')).sort()
    for (const name of names) await visit(path === '' ? name : `${path}/${name}`)
  }
  await visit('')
  return picture
}

function typeOf(mode: number): string {
  const types: Record<number, string> = {
    0x1000: 'fifo',
    0x2000: 'character',
    0x4000: 'directory',
    0x6000: 'block',
    0x8000: 'file',
    0xa000: 'symlink',
    0xc000: 'socket',
  }
  return types[mode & 0xf000] ?? 'unknown'
}

/** glibc's makedev. */
function deviceOf(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn)
  return `${major}:${minor}`
}

async function hashFile(place: Buffer, size: number): Promise<string> {
  const file = await open(place)
  const hash = createHash('sha256')
  const buffer = Buffer.alloc(1024 * 1024)
  try {
    for (let at = 0; at < size;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) throw new Error(`${place.toString()} is shorter than its size`)
      hash.update(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}

function hashZeros(hash: Hash, length: number): void {
  const zeros = Buffer.alloc(1024 * 1024)
  for (let rest = length; rest > 0; rest -= zeros.length) hash.update(zeros.subarray(0, Math.min(rest, zeros.length)))
}

/** By getfattr, whose dump has a line '# file: PATH' for each file that has any. */
async function allXattrs(folder: string): Promise<Map<string, string[]>> {
  const { stdout } = await run('getfattr', ['-h', '-R', '-P', '-d', '-m', '-', '-e', 'hex', '.'], { cwd: folder })
  const found = new Map<string, string[]>()
  let current: string[] = []
  for (const text of stdout.split('\n')) {
    const file = /^# file: (.*)$/.exec(text)?.[1]
    if (file !== undefined) {
      current = []
      found.set(file === '.' ? '' : unescape(file.replace(/^\.\//, '')), current)
    } else if (text.includes('=')) {
      current.push(text.replace('=0x', '='))
      current.sort()
    }
  }
  return found
}

/** getfattr writes odd bytes as three octal digits. */
function unescape(text: string): string {
  const bytes = Buffer.from(text).toString('latin1')
  return bytes.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

function latin1(name: string): string {
  return Buffer.from(encodeName(name)).toString('latin1')
}
