import { findTool, isC2mError, run } from '@c2m/process'
import { chooseAccelerator, findFirmware } from '@c2m/qemu'
import { checkSandbox } from '@c2m/sandbox'

/** One thing of this host that c2m uses. */
export interface HostCheck {
  readonly name: string
  readonly ok: boolean
  /** Without it the main job cannot be done in the default way. */
  readonly required: boolean
  /** Version, path, or what is wrong. */
  readonly found: string
  readonly blocks: string
  readonly fix?: string
}

interface Tool {
  readonly name: string
  readonly versionArgs: readonly string[]
  readonly aptPackage: string
  readonly required: boolean
  readonly blocks: string
}

const TOOLS: readonly Tool[] = [
  {
    name: 'tar',
    versionArgs: ['--version'],
    aptPackage: 'tar',
    required: true,
    blocks: 'installing packages into an image',
  },
  {
    name: 'unshare',
    versionArgs: ['--version'],
    aptPackage: 'util-linux',
    required: true,
    blocks: 'installing packages into an image',
  },
  {
    name: 'crun',
    versionArgs: ['--version'],
    aptPackage: 'crun',
    required: true,
    blocks: 'running programs of an image',
  },
  {
    name: 'ip',
    versionArgs: ['-V'],
    aptPackage: 'iproute2',
    required: true,
    blocks: 'a network of their own for the programs of an image',
  },
  {
    name: 'slirp4netns',
    versionArgs: ['--version'],
    aptPackage: 'slirp4netns',
    required: false,
    blocks: 'a network of its own for c2m shell',
  },
  {
    name: 'newuidmap',
    versionArgs: [],
    aptPackage: 'uidmap',
    required: process.getuid?.() !== 0,
    blocks: 'installing packages without root',
  },
  {
    name: 'qemu-img',
    versionArgs: ['--version'],
    aptPackage: 'qemu-utils',
    required: true,
    blocks: 'every format but raw',
  },
  {
    name: 'qemu-system-x86_64',
    versionArgs: ['--version'],
    aptPackage: 'qemu-system-x86',
    required: false,
    blocks: 'c2m boot and --verify',
  },
  {
    name: 'zstd',
    versionArgs: ['--version'],
    aptPackage: 'zstd',
    required: false,
    blocks: 'layers compressed with zstd on Node.js before 22.15',
  },
  {
    name: 'xz',
    versionArgs: ['--version'],
    aptPackage: 'xz-utils',
    required: false,
    blocks: 'tarballs compressed with xz',
  },
]

export async function checkHost(options: { cache: string; signal: AbortSignal }): Promise<readonly HostCheck[]> {
  return [
    nodeCheck(),
    ...(await Promise.all(TOOLS.map(toolCheck))),
    await sandboxCheck(),
    await firmwareCheck(),
    await acceleratorCheck(options),
  ]
}

function nodeCheck(): HostCheck {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 19)
  return {
    name: 'node',
    ok,
    required: true,
    found: process.versions.node,
    blocks: 'everything',
    fix: 'install Node.js 20.19 or newer',
  }
}

async function toolCheck({ name, versionArgs, aptPackage, required, blocks }: Tool): Promise<HostCheck> {
  const fix = `apt-get install ${aptPackage}`
  const path = await findTool(name)
  if (path === undefined) return { name, ok: false, required, found: 'not installed', blocks, fix }
  if (versionArgs.length === 0) return { name, ok: true, required, found: path, blocks, fix }
  const { stdout, stderr } = await run(path, versionArgs, { timeout: 10_000 })
  return { name, ok: true, required, found: (stdout || stderr).split('\n')[0] ?? path, blocks, fix }
}

async function sandboxCheck(): Promise<HostCheck> {
  const common = { name: 'user namespaces', required: true, blocks: 'installing packages in the default sandbox' }
  const verdict = await checkSandbox('userns')
  if (verdict.ok) return { ...common, ok: true, found: 'usable, with subordinate ids' }
  return { ...common, ok: false, found: verdict.because, fix: `${verdict.hint}; or use --sandbox docker` }
}

async function firmwareCheck(): Promise<HostCheck> {
  const common = {
    name: 'UEFI firmware',
    required: false,
    blocks: 'booting with UEFI in QEMU',
    fix: 'apt-get install ovmf',
  }
  try {
    return { ...common, ok: true, found: (await findFirmware('uefi', 'amd64')).code }
  } catch (error) {
    if (!isC2mError(error)) throw error
    return { ...common, ok: false, found: 'not installed' }
  }
}

async function acceleratorCheck(options: { cache: string; signal: AbortSignal }): Promise<HostCheck> {
  const common = { name: 'accelerator', required: false, blocks: 'nothing: machines run in emulation, but slower' }
  if ((await findTool('qemu-system-x86_64')) === undefined)
    return { ...common, ok: false, found: 'unknown without QEMU' }
  const { accel, because } = await chooseAccelerator(options)
  return { ...common, ok: accel === 'kvm', found: `${accel}: ${because}` }
}
