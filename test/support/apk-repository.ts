import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import { createWriteStream } from 'node:fs'
import { run } from '@c2m/process'

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
    // a name that begins with a dot would be part of the control segment
    const names = (await readdir(one.files)).sort()
    const flags = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@1700000000', '--format=gnu']
    await run('tar', [...flags, '--use-compress-program=gzip -1 -n', '-C', one.files, '-cf', data, ...names])
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

/** A tar of small files; an 'open' one lacks its end, so that another can follow. */
function tarGz(files: Readonly<Record<string, string | Uint8Array>>, end: 'open' | 'closed' = 'closed'): Buffer {
  const parts: Uint8Array[] = []
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content)
    const padding = (512 - (bytes.length % 512)) % 512
    parts.push(header(name, bytes.length), bytes, Buffer.alloc(padding))
  }
  if (end === 'closed') parts.push(Buffer.alloc(1024))
  return gzipSync(Buffer.concat(parts), { level: 9 })
}

/** POSIX ustar. */
function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(512)
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`
  block.write(name, 0, 100)
  block.write(octal(0o755, 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(size, 12), 124)
  block.write(octal(1_700_000_000, 12), 136)
  block.write('        ', 148)
  block.write('0', 156)
  block.write('ustar\0', 257)
  block.write('00', 263)
  block.write('root', 265)
  block.write('root', 297)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}
