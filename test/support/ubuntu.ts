import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from '@c2m/process'
import { writeOciLayout } from '@c2m/testkit'
import { writeDebRepository } from './deb-repository.js'
import { debian12 } from './debian.js'
import { serveFolders, type ServedFolders } from './http-folders.js'
import { unpackOnlyLayer } from './layout.js'
import { FIXTURES } from './paths.js'

/** The archive of c2m's own tests, in Ubuntu's place; counted up when it changes. */
const ARCHIVE = `${FIXTURES}/ubuntu-stand-ins-1`
const CREATED = 1_760_000_000

/** Packages by Ubuntu's names that bring Debian's. */
const PACKAGES: Readonly<Record<string, string>> = {
  'linux-image-virtual': 'linux-image-cloud-amd64',
  'linux-image-generic': 'linux-image-amd64',
  'linux-image-virtual-hwe-24.04': 'linux-image-cloud-amd64',
  'linux-image-generic-hwe-24.04': 'linux-image-amd64',
  'linux-firmware': 'firmware-linux-free',
  'amd64-microcode': 'base-files',
  'intel-microcode': 'base-files',
}

/** What is missing to make the stand-ins; undefined when nothing is. */
export function missingForUbuntu(): string | undefined {
  const tools: Readonly<Record<string, string>> = { '/usr/bin/dpkg-deb': 'dpkg', '/usr/bin/gpg': 'gnupg' }
  const lacking = Object.entries(tools).filter(([path]) => !existsSync(path))
  return lacking.length === 0 ? undefined : `packages: apt-get install ${lacking.map(([, name]) => name).join(' ')}`
}

/** The stand-in archive's folder, with its key as key.gpg. */
export async function ubuntuArchive(): Promise<string> {
  if (existsSync(ARCHIVE)) return ARCHIVE
  const scratch = await mkdtemp(join(FIXTURES, 'partial-'))
  try {
    const packages = Object.entries(PACKAGES).map(([name, depends]) => ({
      name,
      version: '6.8.0-1',
      depends: [depends],
    }))
    const { key } = await writeDebRepository(scratch, { suite: 'noble', component: 'main', packages })
    await writeFile(join(scratch, 'key.gpg'), key)
    await rename(scratch, ARCHIVE)
    return ARCHIVE
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** The stand-in archive over HTTP. */
export async function serveUbuntuArchive(): Promise<ServedFolders> {
  return serveFolders({ ubuntu: await ubuntuArchive() })
}

const OS_RELEASE = `PRETTY_NAME="Ubuntu 24.04.3 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.3 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
UBUNTU_CODENAME=noble
LOGO=ubuntu-logo
`

const KEYRING = 'usr/share/keyrings/ubuntu-archive-keyring.gpg'

/** What Ubuntu's images have, or leave behind, that Debian's do not. */
function files(url: string): Readonly<Record<string, readonly [mode: number, text: string]>> {
  return {
    'usr/lib/os-release': [0o644, OS_RELEASE],
    'etc/apt/sources.list.d/ubuntu.sources': [
      0o644,
      `Types: deb\nURIs: ${url}/\nSuites: noble\nComponents: main\nSigned-By: /${KEYRING}\n`,
    ],
    'etc/dpkg/dpkg.cfg.d/excludes': [
      0o644,
      'path-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*/LC_MESSAGES/*.mo\npath-exclude=/usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\n',
    ],
    'etc/update-motd.d/60-unminimize': [0o755, '#!/bin/sh\necho "This system has been minimized."\n'],
    'usr/bin/man': [
      0o755,
      '#!/bin/sh\necho "This system has been minimized; run the \'unminimize\' command to restore this content."\n',
    ],
    'var/lib/dpkg/diversions': [0o644, '/usr/bin/man\n/usr/bin/man.REAL\n:\n'],
    'etc/netplan/50-cloud-init.yaml': [
      0o600,
      'network: {version: 2, ethernets: {ens99: {addresses: [192.0.2.9/24]}}}\n',
    ],
    // a machine's snap, without its file
    'etc/systemd/system/snap-core22-1.mount': [
      0o644,
      '[Unit]\nDescription=Mount unit for core22, revision 1\n[Mount]\nWhat=/var/lib/snapd/snaps/core22_1.snap\nWhere=/snap/core22/1\nType=squashfs\n[Install]\nWantedBy=multi-user.target\n',
    ],
    'etc/systemd/system/multi-user.target.wants/snap-core22-1.mount': [
      0o644,
      '[Mount]\nWhat=/var/lib/snapd/snaps/core22_1.snap\nWhere=/snap/core22/1\n',
    ],
    'usr/bin/cloud-init': [0o755, '#!/bin/sh\nexit 1\n'],
  }
}

/**
 * A stand-in for an Ubuntu 24.04 image, as an OCI layout in `folder`: Debian 12 under Ubuntu's name, with what Ubuntu's images
 * leave behind, and with the archive at `url` among its package sources.
 * @param key a public key that it trusts, instead of the stand-in archive's
 */
export async function ubuntuImage(folder: string, url: string, key?: string): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'c2m-ubuntu-'))
  try {
    const base = join(scratch, 'base.tar')
    await unpackOnlyLayer(await debian12(), base)
    const tree = join(scratch, 'tree')
    for (const [path, [mode, text]] of Object.entries(files(url))) {
      await mkdir(dirname(join(tree, path)), { recursive: true })
      await writeFile(join(tree, path), text, { mode })
    }
    await mkdir(dirname(join(tree, KEYRING)), { recursive: true })
    await copyFile(key ?? join(await ubuntuArchive(), 'key.gpg'), join(tree, KEYRING))
    const more = join(scratch, 'more.tar')
    const flags = ['--sort=name', '--owner=0', '--group=0', '--mode=a+rX,u+w,go-w', `--mtime=@${CREATED}`]
    await run('tar', [...flags, '-C', tree, '-cf', more, 'etc', 'usr', 'var'])
    const layout = join(folder, 'ubuntu-24.04')
    const config = { Cmd: ['/bin/bash'] }
    await writeOciLayout(layout, {
      layers: [base, more],
      architecture: 'amd64',
      tag: '24.04',
      created: CREATED,
      config,
    })
    return layout
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}
