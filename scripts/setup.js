// Brings a fresh clone to where the build, the demo and the tests can run: npm packages, the build, and the system
// packages that they use. Nothing is done twice, so a second run takes a second or two.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

const forDemo = [
  'crun',
  'iproute2',
  'qemu-system-x86',
  'qemu-utils',
  'ovmf',
  'mmdebstrap',
  'debian-archive-keyring',
  'uidmap',
  'zstd',
  'xz-utils',
]

/** Units of packages above: what the set-up itself installed is not left running on somebody's machine. */
const SERVICES = {
  'docker.io': ['docker.socket', 'docker', 'containerd'],
  'docker-registry': ['docker-registry'],
  'openssh-server': ['ssh'],
}

/** What each kind of run uses beyond Node; Debian's and Ubuntu's names. */
export const systemPackages = {
  unit: [],
  demo: forDemo,
  bench: [...forDemo, 'e2fsprogs', 'fdisk', 'fuse3', 'jq', 'libguestfs-tools', 'openssl', 'pigz'],
  test: [
    ...forDemo,
    'acl',
    'apache2-utils',
    'attr',
    'btrfs-progs',
    'busybox-static',
    'cryptsetup-bin',
    'docker-registry',
    'docker.io',
    'dosfstools',
    'e2fsprogs',
    'extlinux',
    'fdisk',
    'gdisk',
    'gnupg',
    'grub-common',
    'grub-efi-amd64-bin',
    'grub-pc-bin',
    'jq',
    'kmod',
    'libarchive-tools',
    'libcap2-bin',
    'libguestfs-tools',
    'libguestfs-xfs',
    'mtools',
    'openssh-client',
    'openssh-server',
    'podman',
    'skopeo',
    'slirp4netns',
    'strace',
    'syslinux',
    'syslinux-common',
    'systemd-boot-efi',
    'umoci',
    'xfsprogs',
  ],
}

export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', cwd: root, ...options })
  if (result.error) throw result.error
  if (result.signal) process.exit(130)
  return result.status ?? 1
}

function must(command, args, options) {
  const status = run(command, args, options)
  if (status !== 0) process.exit(status)
}

/** What oclif is to believe of a package's commands without loading them. Only tarballs have one. */
export const MANIFEST = 'oclif.manifest.json'

/** @returns the compiler's exit code */
export function build() {
  // one that an interrupted npm pack left behind would hide what commands have become
  rmSync(`${root}packages/cli/${MANIFEST}`, { force: true })
  return run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-b'])
}

export function setUp(kind) {
  checkNode()
  installNpmPackages()
  if (build() !== 0) process.exit(1)
  installSystemPackages(systemPackages[kind])
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(`c2m needs Node.js 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(3)
}

function installNpmPackages() {
  const installed = `${root}node_modules/.package-lock.json`
  const wanted = `${root}package-lock.json`
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return
  console.log('Installing npm packages …')
  must('npm', ['ci', '--no-audit', '--no-fund'])
}

function installSystemPackages(packages) {
  const missing = [...packages, ...kernelFor(packages)].filter((name) => !isInstalled(name))
  if (missing.length === 0) return
  const line = `apt-get install --no-install-recommends ${missing.join(' ')}`
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const allowed = sudo.length === 0 || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
  if (!existsSync('/usr/bin/apt-get') || !allowed) {
    console.error(`These programs are needed and not installed. As root, on Debian or Ubuntu:\n  ${line}`)
    process.exit(3)
  }
  console.log(`Installing system packages: ${missing.join(' ')} …`)
  const asRoot = (command, args) => {
    const [first, ...rest] = [...sudo, command, ...args]
    return spawnSync(first, rest, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
  }
  const steps = [['update'], ['install', '-y', '--no-install-recommends', ...missing]]
  for (const args of steps) {
    const result = asRoot('env', ['DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args])
    if (result.status === 0) continue
    console.error(`${result.stdout}${result.stderr}\nThe installation failed. As root:\n  ${line}`)
    process.exit(3)
  }
  const units = missing.flatMap((name) => SERVICES[name] ?? [])
  if (units.length === 0 || !existsSync('/run/systemd/system')) return
  asRoot('systemctl', ['disable', '--now', ...units])
}

/** libguestfs starts a machine with this host's kernel; a container or a minimal chroot has none. */
function kernelFor(packages) {
  if (!packages.includes('libguestfs-tools')) return []
  const has = existsSync('/boot') && readdirSync('/boot').some((name) => name.startsWith('vmlinuz-'))
  return has ? [] : [`linux-image-cloud-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`]
}

function isInstalled(name) {
  const result = spawnSync('dpkg-query', ['-W', '-f=${Status}', name], { encoding: 'utf8' })
  return result.status === 0 && result.stdout === 'install ok installed'
}
