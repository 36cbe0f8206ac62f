import { readFile } from 'node:fs/promises'
import { createReadStream, createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Body, ExecStep, Rootfs, TemporaryFileStep } from '@c2m/plugin-api'
import { cleanPath, indexLayer, mergeLayers, readTar, writeTar, type TarInput } from '@c2m/rootfs'

export const EPOCH = 1_700_000_000

/** A member of a tar archive, everything but its path with a default; a string is the content of a file. */
export function member(path: string, given: Partial<Omit<TarInput, 'body'>> | string = {}): TarInput {
  const content = Buffer.from(typeof given === 'string' ? given : '')
  const type = path.endsWith('/') ? 'directory' : 'file'
  const defaults = {
    path,
    type,
    mode: type === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    xattrs: new Map(),
  } as const
  const entry = { ...defaults, mtime: { seconds: 1_600_000_000, nanoseconds: 0 }, size: content.length }
  return { ...entry, ...(typeof given === 'string' ? {} : given), body: bodyOf(content) }
}

export function withContent(content: Uint8Array | string, input: TarInput): TarInput {
  const data = Buffer.from(content)
  return { ...input, size: data.length, body: bodyOf(data) }
}

async function* bodyOf(data: Uint8Array): AsyncGenerator<{ offset: number; data: Uint8Array }> {
  if (data.length > 0) yield { offset: 0, data }
}

export async function writeMembers(path: string, members: Iterable<TarInput>): Promise<void> {
  await pipeline(Readable.from(writeTar(members), { objectMode: false }), createWriteStream(path))
}

/** A tree from members, through the archive at `path`. */
export async function treeFrom(path: string, members: Iterable<TarInput>): Promise<Rootfs> {
  await writeMembers(path, members)
  return mergeLayers([await indexLayer(path)])
}

/** The host's busybox when it is static: the smallest tree in which commands run. */
export async function busybox(): Promise<Buffer | undefined> {
  for (const path of ['/bin/busybox', '/usr/bin/busybox', '/bin/busybox.static']) {
    const bytes = await readFile(path).catch(() => undefined)
    // a dynamically linked program names its interpreter
    if (bytes !== undefined && !bytes.subarray(0, 4096).includes('/ld-')) return bytes
  }
  return undefined
}

export const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex')

/** Tree of the tests: busybox, and one of each thing that is hard. */
export function miniTree(program: Buffer): TarInput[] {
  const xattrs = (entries: Record<string, string | Buffer>) =>
    new Map(Object.entries(entries).map(([name, value]) => [name, Buffer.from(value)]))
  return [
    member('./'),
    ...['bin/', 'dev/', 'etc/', 'proc/', 'root/', 'run/', 'sys/', 'usr/', 'var/', 'var/cache/', 'var/cache/pkg/'].map(
      (path) => member(path),
    ),
    member('tmp/', { mode: 0o1777 }),
    withContent(program, member('bin/busybox', { mode: 0o755 })),
    member('bin/sh', { type: 'symlink', mode: 0o777, linkTarget: 'busybox' }),
    member('dev/null', { type: 'character', mode: 0o666, device: { major: 1, minor: 3 } }),
    member('etc/resolv.conf', { type: 'symlink', mode: 0o777, linkTarget: '../run/resolv.conf' }),
    member('etc/keep', 'as it was\n'),
    member('etc/gone', 'to be removed\n'),
    member('etc/changed', 'old\n'),
    member('etc/opaque/'),
    member('etc/opaque/old', 'old\n'),
    member('etc/opaque/dir/'),
    member('etc/opaque/dir/deep', 'old\n'),
    member('etc/tofile/'),
    member('etc/tofile/inside', 'x'),
    member('etc/todir', 'x'),
    member('etc/link', { type: 'symlink', mode: 0o777, linkTarget: 'opaque' }),
    member('etc/policy', 'of the image\n'),
    member('srv/', { uid: 200_000, gid: 200_001 }),
    withContent('far\n', member('srv/far', { uid: 200_000, gid: 7 })),
    withContent(
      'x',
      member('srv/trusted', { mode: 0o700, xattrs: xattrs({ 'trusted.mark': 'a\0b', 'user.kept': 'k' }) }),
    ),
    withContent('x', member('srv/capable', { mode: 0o755, xattrs: xattrs({ 'security.capability': CAPABILITY }) })),
    member('srv/device', { type: 'block', mode: 0o660, gid: 6, device: { major: 8, minor: 1 } }),
    member('srv/fifo', { type: 'fifo', mode: 0o600 }),
    member('srv/far-link', { type: 'hardlink', linkTarget: 'srv/far', uid: 200_000, gid: 7 }),
    withContent('\xff', member('srv/\udcff', {})),
  ]
}

export function exec(script: string, more: Partial<ExecStep> = {}): ExecStep {
  return {
    id: 'test/exec',
    title: 'test step',
    phase: 'packages',
    do: 'exec',
    argv: ['/bin/busybox', 'sh', '-ec', script],
    ...more,
  }
}

export function temporary(path: string, content: string, mode = 0o644): TemporaryFileStep {
  return { id: `test${path}`, title: `put ${path}`, phase: 'packages', do: 'temporaryFile', path, content, mode }
}

/** What a layer says, one line each: '- path' for a whiteout, else type, mode, owner, path, content or target. */
export async function describeLayer(path: string): Promise<string[]> {
  const lines: string[] = []
  for await (const entry of readTar(createReadStream(path))) {
    const name = cleanPath(entry.path)
    const bytes = await bodyText(entry.body)
    if (/(^|\/)\.wh\./.test(name)) {
      lines.push(`- ${name}`)
      continue
    }
    const detail = entry.type === 'file' ? JSON.stringify(bytes) : (entry.linkTarget ?? '')
    const xattrs = [...entry.xattrs].map(([key, value]) => `${key}=${Buffer.from(value).toString('hex')}`)
    const words = [
      entry.type,
      entry.mode.toString(8),
      `${entry.uid}:${entry.gid}`,
      name === '' ? '/' : name,
      detail,
      ...xattrs,
    ]
    lines.push(words.filter(Boolean).join(' '))
  }
  return lines.sort()
}

async function bodyText(body: Body): Promise<string> {
  const chunks: Buffer[] = []
  for await (const { data } of body) chunks.push(Buffer.from(data))
  return Buffer.concat(chunks).toString('latin1')
}
