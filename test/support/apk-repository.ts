import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip, gzipSync } from 'node:zlib'
import { createReadStream, createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'

export interface ApkPackage {
  readonly name: string
  readonly version: string
  /** Its files, as they are to lie in the tree; owned by root there. */
  readonly files: string
  readonly depends?: readonly string[]
  readonly provides?: readonly string[]
  /** Globs of directories; a change below them starts the script. */
  readonly trigger?: { readonly globs: readonly string[]; readonly script: string }
}

/**
 * A repository in apk-tools 2's format (apk-package(5), apk-repositories(5)): each package is three gzip members, of which
 * the signature is left out, since the signed index knows the packages by their hashes.
 */
export async function writeApkRepository(
  folder: string,
  packages: readonly ApkPackage[],
  keyName = `${randomUUID()}@example.org.rsa.pub`,
): Promise<{ readonly keyName: string; readonly key: string }> {
  const place = join(folder, 'x86_64')
  await mkdir(place, { recursive: true })
  const records: string[] = []
  for (const one of packages) records.push(await writePackage(place, one))
  const index = tarGz({ APKINDEX: `${records.join('\n')}\n`, DESCRIPTION: 'stand-ins' })
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const signature = createSign('RSA-SHA1').update(index).sign(privateKey)
  await writeFile(
    join(place, 'APKINDEX.tar.gz'),
    Buffer.concat([tarGz({ [`.SIGN.RSA.${keyName}`]: signature }, 'open'), index]),
  )
  return { keyName, key: publicKey }
}

async function writePackage(place: string, one: ApkPackage): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'c2m-apk-'))
  try {
    const data = join(scratch, 'data.tar.gz')
    await pipeline(Readable.from(dataTar(one.files)), createGzip({ level: 1 }), createWriteStream(data))
    const bytes = await readFile(data)
    const lines = [
      `pkgname = ${one.name}`,
      `pkgver = ${one.version}`,
      'pkgdesc = stand-in',
      'url = https://example.org/',
      `size = ${bytes.length}`,
      'arch = x86_64',
      'license = various',
      ...(one.depends ?? []).map((name) => `depend = ${name}`),
      ...(one.provides ?? []).map((name) => `provides = ${name}`),
      ...(one.trigger === undefined ? [] : [`triggers = ${one.trigger.globs.join(' ')}`]),
      `datahash = ${createHash('sha256').update(bytes).digest('hex')}`,
      '',
    ]
    const script: Record<string, string> = one.trigger === undefined ? {} : { '.trigger': one.trigger.script }
    const control = tarGz({ '.PKGINFO': lines.join('\n'), ...script }, 'open')
    const target = join(place, `${one.name}-${one.version}.apk`)
    await writeFile(target, control)
    await pipeline(createReadStream(data), createWriteStream(target, { flags: 'a' }))
    const checksum = createHash('sha1').update(control).digest('base64')
    return [
      `C:Q1${checksum}`,
      `P:${one.name}`,
      `V:${one.version}`,
      'A:x86_64',
      `S:${control.length + bytes.length}`,
      `I:${bytes.length}`,
      'T:stand-in',
      'U:https://example.org/',
      'L:various',
      ...(one.depends === undefined ? [] : [`D:${one.depends.join(' ')}`]),
      ...(one.provides === undefined ? [] : [`p:${one.provides.join(' ')}`]),
      '',
    ].join('\n')
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** The files below a folder, each with its SHA-1, by which apk knows later whether it was changed. */
async function* dataTar(folder: string, below = ''): AsyncGenerator<Uint8Array> {
  for (const name of (await readdir(join(folder, below))).sort()) {
    const path = below === '' ? name : `${below}/${name}`
    const place = join(folder, path)
    const found = await lstat(place)
    if (found.isDirectory()) {
      yield* member(path, new Uint8Array(), { type: '5', mode: 0o755 })
      yield* dataTar(folder, path)
    } else if (found.isSymbolicLink())
      yield* member(path, new Uint8Array(), { type: '2', mode: 0o777, link: await readlink(place) })
    else yield* member(path, await readFile(place), { type: '0', mode: found.mode & 0o777 })
  }
  if (below === '') yield Buffer.alloc(1024)
}

interface MemberOptions {
  readonly type: '0' | '2' | '5'
  readonly mode: number
  readonly link?: string
}

function* member(path: string, bytes: Uint8Array, { type, mode, link = '' }: MemberOptions): Generator<Uint8Array> {
  const hashed = type === '2' ? Buffer.from(link) : bytes
  const records = [
    paxRecord('path', path),
    ...(type === '2' ? [paxRecord('linkpath', link)] : []),
    ...(type === '5' ? [] : [paxRecord('APK-TOOLS.checksum.SHA1', createHash('sha1').update(hashed).digest('hex'))]),
  ]
  const extended = Buffer.from(records.join(''))
  yield header('pax', extended.length, { type: 'x', mode: 0o644 })
  yield padded(extended)
  yield header(path.slice(-100), bytes.length, { type, mode, link: link.slice(-100) })
  yield padded(bytes)
}

/** pax (POSIX): the record's own length, in decimal, counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + 1
  while (String(length).length + rest !== length) length = String(length).length + rest
  return `${length} ${key}=${value}\n`
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

/** A tar of small files; an 'open' one lacks its end, so that another can follow. */
function tarGz(files: Readonly<Record<string, string | Uint8Array>>, end: 'open' | 'closed' = 'closed'): Buffer {
  const parts: Uint8Array[] = []
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content)
    parts.push(header(name, bytes.length, { type: '0', mode: 0o755 }), padded(bytes))
  }
  if (end === 'closed') parts.push(Buffer.alloc(1024))
  return gzipSync(Buffer.concat(parts), { level: 9 })
}

/** POSIX ustar. */
function header(
  name: string,
  size: number,
  { type, mode, link = '' }: { readonly type: string; readonly mode: number; readonly link?: string },
): Buffer {
  const block = Buffer.alloc(512)
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`
  block.write(name, 0, 100)
  block.write(octal(mode, 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(size, 12), 124)
  block.write(octal(1_700_000_000, 12), 136)
  block.write('        ', 148)
  block.write(type, 156)
  block.write(link, 157, 100)
  block.write('ustar\0', 257)
  block.write('00', 263)
  block.write('root', 265)
  block.write('root', 297)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}
