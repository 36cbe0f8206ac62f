import { execFileSync } from 'node:child_process'
import { copyFile, cp, mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { debianImage, writeOciLayout } from '@c2m/testkit'
import { unpackOnlyLayer } from './layout.js'
import { FIXTURES, ROOT } from './paths.js'

const CREATED = 1_760_000_000

/** All that a machine needs, so that c2m installs nothing into an image that changes with every build, and what reads disks. */
const PACKAGES = [
  ...['linux-image-amd64', 'initramfs-tools', 'systemd-sysv', 'systemd-timesyncd', 'libpam-systemd', 'udev', 'dbus'],
  ...['grub-pc', 'openssh-server', 'iproute2', 'kmod', 'e2fsprogs', 'fdisk', 'zstd', 'login', 'mount', 'passwd'],
  ...[
    'qemu-utils',
    'crun',
    'cryptsetup-bin',
    'lvm2',
    'xfsprogs',
    'btrfs-progs',
    'attr',
    'acl',
    'libcap2-bin',
    'util-linux',
  ],
]

/** Debian 12 with the generic kernel, this host's Node.js and the built program: its layout, in `folder`. */
export async function machineWithProgram(folder: string): Promise<string> {
  const base = await debianImage(`${FIXTURES}/debian-12-reader-2`, {
    suite: 'bookworm',
    created: CREATED,
    include: PACKAGES,
  })
  const scratch = await mkdtemp(join(tmpdir(), 'c2m-program-'))
  try {
    const lower = join(scratch, 'base.tar')
    await unpackOnlyLayer(base, lower)
    const program = join(scratch, 'program.tar')
    await packProgram(join(scratch, 'tree'), program)
    await writeOciLayout(folder, { layers: [lower, program], architecture: 'amd64', tag: 'reader', created: CREATED })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return folder
}

/** /usr/local/bin/node, /opt/c2m as the checkout is, without what only its building and tests need, and /usr/local/bin/c2m. */
async function packProgram(tree: string, tar: string): Promise<void> {
  const bin = join(tree, 'usr/local/bin')
  await mkdir(bin, { recursive: true })
  await copyFile(process.execPath, join(bin, 'node'))
  await symlink('/opt/c2m/packages/cli/bin/run.js', join(bin, 'c2m'))
  const list = ['ls', '--omit=dev', '--all', '--parseable']
  const listed = execFileSync('npm', list, { cwd: ROOT, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 })
  for (const path of listed.trim().split('\n').slice(1)) {
    const place = join(tree, 'opt/c2m', relative(ROOT, path))
    const own = relative(ROOT, await realpath(path))
    if (own.startsWith('node_modules')) {
      await cp(path, place, { recursive: true, verbatimSymlinks: true, force: true })
      continue
    }
    for (const name of ['package.json', 'dist', 'bin', 'schema']) {
      const part = join(ROOT, own, name)
      await cp(part, join(tree, 'opt/c2m', own, name), { recursive: true }).catch(() => undefined)
    }
    await mkdir(dirname(place), { recursive: true })
    await symlink(relative(dirname(place), join(tree, 'opt/c2m', own)), place)
  }
  execFileSync('tar', ['--create', `--file=${tar}`, `--directory=${tree}`, '--owner=0', '--group=0', 'usr', 'opt'])
}
