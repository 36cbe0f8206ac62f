import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '@c2m/process'

export interface DebPackage {
  readonly name: string
  readonly version: string
  readonly depends?: readonly string[]
}

export interface DebRepository {
  /** os-release's word for the release, e.g. 'noble'. */
  readonly suite: string
  readonly component: string
  readonly packages: readonly DebPackage[]
}

const DATE = 'Sat, 01 Nov 2025 00:00:00 UTC'

/**
 * An archive of meta packages for amd64 as apt wants it (wiki.debian.org/DebianRepository/Format): pool, index, and a Release
 * file that is signed with a key made for it.
 * @returns the public key, as apt's Signed-By takes it
 */
export async function writeDebRepository(
  folder: string,
  { suite, component, packages }: DebRepository,
): Promise<{ readonly key: Buffer }> {
  const index = `${component}/binary-amd64/Packages`
  await mkdir(join(folder, 'pool'), { recursive: true })
  await mkdir(join(folder, 'dists', suite, component, 'binary-amd64'), { recursive: true })
  const stanzas: string[] = []
  for (const one of packages) stanzas.push(await writePackage(folder, one))
  const list = Buffer.from(stanzas.join('\n'))
  await writeFile(join(folder, 'dists', suite, index), list)
  const release = [
    `Origin: stand-in`,
    `Suite: ${suite}`,
    `Codename: ${suite}`,
    `Date: ${DATE}`,
    'Architectures: amd64',
    `Components: ${component}`,
    'SHA256:',
    ` ${sha256(list)} ${list.length} ${index}`,
    '',
  ]
  return { key: await signRelease(join(folder, 'dists', suite), release.join('\n')) }
}

async function writePackage(folder: string, { name, version, depends = [] }: DebPackage): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'c2m-deb-'))
  try {
    const control = [
      `Package: ${name}`,
      `Version: ${version}`,
      'Architecture: amd64',
      'Maintainer: nobody <nobody@example.org>',
      'Section: metapackages',
      ...(depends.length === 0 ? [] : [`Depends: ${depends.join(', ')}`]),
      'Description: stand-in',
    ]
    await mkdir(join(scratch, 'DEBIAN'), { mode: 0o755 })
    await writeFile(join(scratch, 'DEBIAN/control'), `${control.join('\n')}\n`, { mode: 0o644 })
    const file = `pool/${name}_${version}_amd64.deb`
    await run('dpkg-deb', ['--root-owner-group', '--build', scratch, join(folder, file)], {
      env: { ...process.env, SOURCE_DATE_EPOCH: '1760000000' },
    })
    const bytes = await readFile(join(folder, file))
    return [...control, `Filename: ${file}`, `Size: ${bytes.length}`, `SHA256: ${sha256(bytes)}`, ''].join('\n')
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Writes Release and InRelease. */
async function signRelease(folder: string, text: string): Promise<Buffer> {
  const home = await mkdtemp(join(tmpdir(), 'c2m-gpg-'))
  try {
    const gpg = (args: readonly string[]) => run('gpg', ['--homedir', home, '--batch', '--yes', ...args])
    await gpg(['--passphrase', '', '--quick-generate-key', 'stand-in <nobody@example.org>', 'ed25519', 'sign', 'never'])
    await writeFile(join(folder, 'Release'), text)
    await gpg(['--clearsign', '--output', join(folder, 'InRelease'), join(folder, 'Release')])
    const key = join(home, 'key.gpg')
    await gpg(['--export', '--output', key])
    return await readFile(key)
  } finally {
    await run('gpgconf', ['--homedir', home, '--kill', 'all']).catch(() => undefined)
    await rm(home, { recursive: true, force: true })
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
