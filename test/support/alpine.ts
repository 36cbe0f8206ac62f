import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createReadStream, createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { run } from '@c2m/process'
import { writeOciLayout } from '@c2m/testkit'
import { writeApkRepository, type ApkPackage } from './apk-repository.js'
import { debian12Machine } from './debian.js'
import { serveFolders, type ServedFolders } from './http-folders.js'
import { onlyLayer } from './layout.js'
import { FIXTURES, ROOT } from './paths.js'

/** Real Alpine trees and a signed repository, which are no part of this repository. */
const DATA = join(ROOT, '../shared/alpine')
export const REAL_REPOSITORY = join(DATA, 'repo')
const CREATED = 1_760_000_000
/** Names the packages of c2m's own tests beside the real ones; counted up when they change. */
const STAND_INS = `${FIXTURES}/alpine-stand-ins-2`

export type AlpineVersion = '3.9.6' | '3.19.4'

export const alpineRoot = (version: AlpineVersion) => join(DATA, `alpine-minirootfs-${version}-x86_64.tar.gz`)

/** What is missing for the tests with real Alpine; undefined when nothing is. */
export function missingForAlpine(standIns = false): string | undefined {
  if (!existsSync(join(DATA, 'repo'))) return `the folder ${DATA} with Alpine's root file systems`
  const files: Readonly<Record<string, string>> = {
    '/usr/bin/grub-mkimage': 'grub-common',
    '/usr/lib/grub/i386-pc/boot.img': 'grub-pc-bin',
    '/usr/lib/grub/x86_64-efi/modinfo.sh': 'grub-efi-amd64-bin',
    '/usr/lib/syslinux/mbr/mbr.bin': 'syslinux-common',
  }
  const lacking = standIns ? Object.entries(files).filter(([path]) => !existsSync(path)) : []
  return lacking.length === 0 ? undefined : `packages: apt-get install ${lacking.map(([, name]) => name).join(' ')}`
}

/**
 * Repositories over HTTP, by the name that their URL ends with; without any, the real one and that
 * of stand-ins for what it lacks.
 */
export async function serveRepositories(given?: Readonly<Record<string, string>>): Promise<ServedFolders> {
  return serveFolders(given ?? { '3.19': REAL_REPOSITORY, 'stand-ins': await standIns() })
}

/**
 * An image of the real tree, as an OCI layout in `folder`; with `urls` it knows these repositories only, and
 * besides Alpine's keys those of the `trusted` ones (folders), or of the stand-ins.
 */
export async function alpineImage(
  folder: string,
  version: AlpineVersion,
  urls?: readonly string[],
  trusted?: readonly string[],
): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'c2m-alpine-'))
  try {
    const root = join(scratch, 'root.tar')
    await pipeline(createReadStream(alpineRoot(version)), createGunzip(), createWriteStream(root))
    const layers = [root]
    if (urls !== undefined) {
      const apk = join(scratch, 'tree/etc/apk')
      await mkdir(join(apk, 'keys'), { recursive: true })
      await writeFile(join(apk, 'repositories'), urls.map((url) => `${url}\n`).join(''))
      for (const folder of trusted ?? [await standIns()]) {
        await cp(join(folder, 'keys'), join(apk, 'keys'), { recursive: true })
      }
      const more = join(scratch, 'more.tar')
      const flags = ['--sort=name', '--owner=0', '--group=0', '--mode=a+rX,u+w,go-w', `--mtime=@${CREATED}`]
      await run('tar', [...flags, '-C', join(scratch, 'tree'), '-cf', more, 'etc'])
      layers.push(more)
    }
    const layout = join(folder, `alpine-${version}`)
    const config = { Cmd: ['/bin/sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] }
    await writeOciLayout(layout, { layers, architecture: 'amd64', tag: version, created: CREATED, config })
    return layout
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

const TRIGGER = `#!/bin/sh
for folder in "$@"; do
  if [ -f "$folder/kernel.release" ]; then mkinitfs -o "/boot/initramfs-\${folder##*/}" "$(cat "$folder/kernel.release")"; fi
done
`

const MKINITFS = `#!/bin/sh
# Stands in for mkinitfs: hands out an initial RAM disk that was made elsewhere, and says what it was asked for.
set -e
. /etc/mkinitfs/mkinitfs.conf
[ "$1" = -o ]
cp /usr/share/kernel/virt/stand-in-initrd "$2"
echo "stand-in mkinitfs for $3 with: $features"
`

const FEATURES = ['ata', 'base', 'cdrom', 'ext4', 'keymap', 'kms', 'mmc', 'nvme', 'raid', 'scsi', 'usb', 'virtio']

/**
 * A repository with packages of the names that the real one lacks, made of Debian's: the kernel with its initial RAM disk,
 * and what makes GRUB's images and EXTLINUX's loader, with the C library that these programs want.
 */
export async function standIns(): Promise<string> {
  if (existsSync(STAND_INS)) return STAND_INS
  const scratch = await mkdtemp(join(FIXTURES, 'partial-'))
  try {
    const result = join(scratch, 'result')
    const place = async (name: string) => {
      const folder = join(scratch, name)
      await mkdir(folder)
      return folder
    }
    const packages: ApkPackage[] = [
      await kernelPackage(await place('linux-virt')),
      await mkinitfsPackage(await place('mkinitfs')),
      await grubPackage(await place('grub')),
      await copies(await place('grub-bios'), 'grub-bios', { '/usr/lib/grub/i386-pc': 'usr/lib/grub/i386-pc' }),
      await copies(await place('grub-efi'), 'grub-efi', { '/usr/lib/grub/x86_64-efi': 'usr/lib/grub/x86_64-efi' }),
      await copies(await place('efibootmgr'), 'efibootmgr', {}),
      await copies(await place('syslinux'), 'syslinux', {
        '/usr/lib/syslinux/modules/bios': 'usr/share/syslinux',
        '/usr/lib/syslinux/mbr': 'usr/share/syslinux',
      }),
    ]
    const { key, keyName } = await writeApkRepository(result, packages)
    await mkdir(join(result, 'keys'))
    await writeFile(join(result, 'keys', keyName), key)
    await rename(result, STAND_INS)
    return STAND_INS
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function kernelPackage(files: string): Promise<ApkPackage> {
  const taken = join(files, 'debian')
  await mkdir(taken)
  await run('tar', [
    '-xzf',
    await onlyLayer(await debian12Machine()),
    '-C',
    taken,
    '--no-same-owner',
    './boot',
    './usr/lib/modules',
  ])
  const [version = ''] = await readdir(join(taken, 'usr/lib/modules'))
  const share = join(files, 'usr/share/kernel/virt')
  for (const folder of [join(files, 'boot'), share, join(files, 'lib')]) await mkdir(folder, { recursive: true })
  await rename(join(taken, `boot/vmlinuz-${version}`), join(files, 'boot/vmlinuz-virt'))
  await rename(join(taken, `boot/initrd.img-${version}`), join(share, 'stand-in-initrd'))
  await rename(join(taken, 'usr/lib/modules'), join(files, 'lib/modules'))
  await rm(taken, { recursive: true })
  await writeFile(join(share, 'kernel.release'), `${version}\n`)
  const number = /^\d+\.\d+\.\d+/.exec(version)?.[0] ?? '0'
  return { name: 'linux-virt', version: `${number}-r0`, files, depends: ['mkinitfs'] }
}

async function mkinitfsPackage(files: string): Promise<ApkPackage> {
  const features = join(files, 'etc/mkinitfs/features.d')
  for (const folder of [features, join(files, 'sbin')]) await mkdir(folder, { recursive: true })
  for (const name of FEATURES) await writeFile(join(features, `${name}.modules`), '')
  await writeFile(join(files, 'etc/mkinitfs/mkinitfs.conf'), 'features="ata base ide scsi usb virtio ext4"\n')
  await writeFile(join(files, 'sbin/mkinitfs'), MKINITFS)
  await chmod(join(files, 'sbin/mkinitfs'), 0o755)
  const trigger = { globs: ['/usr/share/kernel/*'], script: TRIGGER }
  return { name: 'mkinitfs', version: '3.10.0-r0', files, trigger }
}

/** Programs of another C library, which comes with them. */
async function grubPackage(files: string): Promise<ApkPackage> {
  const own = join(files, 'usr/lib/stand-in')
  const programs = join(files, 'usr/bin')
  for (const folder of [own, programs]) await mkdir(folder, { recursive: true })
  const { stdout } = await run('ldd', ['/usr/bin/grub-mkimage'])
  for (const [library = ''] of stdout.matchAll(/\/\S+\.so\S*/g)) {
    await cp(library, join(own, basename(library)), { dereference: true })
  }
  await cp('/usr/bin/grub-mkimage', join(own, 'grub-mkimage'))
  const loader = 'exec /usr/lib/stand-in/ld-linux-x86-64.so.2 --library-path /usr/lib/stand-in'
  await writeFile(join(programs, 'grub-mkimage'), `#!/bin/sh\n${loader} /usr/lib/stand-in/grub-mkimage "$@"\n`)
  await chmod(join(programs, 'grub-mkimage'), 0o755)
  return { name: 'grub', version: '2.06-r0', files }
}

async function copies(files: string, name: string, from: Readonly<Record<string, string>>): Promise<ApkPackage> {
  for (const [source, target] of Object.entries(from)) {
    await mkdir(dirname(join(files, target)), { recursive: true })
    if ((await stat(source)).isDirectory()) await cp(source, join(files, target), { recursive: true })
  }
  await mkdir(join(files, 'usr'), { recursive: true })
  return { name, version: '1-r0', files }
}

/** The service scripts of openrc 0.39, busybox-initscripts and openssh in 3.9, whose packages cannot be had here. */
export const SCRIPTS_OF_3_9: readonly string[] = [
  ...['binfmt', 'bootmisc', 'consolefont', 'devfs', 'dmesg', 'fsck', 'hostname', 'hwclock', 'hwdrivers', 'killprocs'],
  ...['local', 'localmount', 'loopback', 'modloop', 'modules', 'mount-ro', 'mtab', 'net-online', 'netmount'],
  ...['networking', 'osclock', 'procfs', 'root', 'savecache', 'staticroute', 'swap', 'swclock', 'sysctl', 'sysfs'],
  ...['urandom', 'acpid', 'crond', 'klogd', 'loadkmap', 'mdev', 'ntpd', 'rdate', 'syslog', 'watchdog', 'sshd'],
]

/** Packages of the names that a 3.9 machine wants, which do nothing: its real ones cannot be had. Of the same key. */
export async function standInsOf39(folder: string): Promise<string> {
  const files = async (name: string, paths: readonly string[]) => {
    const tree = join(folder, name)
    await mkdir(join(tree, 'usr'), { recursive: true })
    for (const path of paths) {
      await mkdir(dirname(join(tree, path)), { recursive: true })
      await writeFile(join(tree, path), '#!/bin/sh\n', { mode: 0o755 })
    }
    return tree
  }
  const scripts = SCRIPTS_OF_3_9.map((name) => `etc/init.d/${name}`)
  const commands = ['partx', 'resize2fs', 'sfdisk'].map((name) => `cmd:${name}`)
  const one = async (name: string, paths: readonly string[] = [], provides: readonly string[] = []) => ({
    name,
    version: '1-r0',
    files: await files(name, paths),
    provides: provides.map((provided) => `${provided}=1-r0`),
  })
  const packages: ApkPackage[] = [
    await one('openrc', scripts),
    await one('busybox-initscripts'),
    await one('busybox-suid'),
    await one('e2fsprogs'),
    await one('util-linux', [], commands),
  ]
  const repository = join(folder, 'repository')
  const { keyName, key } = await writeApkRepository(repository, packages)
  await mkdir(join(repository, 'keys'))
  await writeFile(join(repository, 'keys', keyName), key)
  return repository
}

/** Names of the service scripts that the real packages of a 3.19 machine bring. */
export async function realServiceScripts(): Promise<readonly string[]> {
  const folder = join(DATA, 'repo/x86_64')
  const names = new Set<string>()
  for (const file of await readdir(folder)) {
    if (!/^(?:openrc|busybox-openrc|busybox-mdev-openrc|openssh-server-common-openrc)-\d/.test(file)) continue
    const { stdout } = await run('tar', ['--ignore-zeros', '-tzf', join(folder, file)])
    for (const [, name = ''] of stdout.matchAll(/^etc\/init\.d\/([^/\n]+)$/gm)) names.add(name)
  }
  return [...names].sort()
}
