import { C2mError, ExitCode } from '@c2m/process'
import { readFile, readdir } from 'node:fs/promises'

/** GOARCH of what this processor runs by itself, by Node's names. */
const NATIVE: Record<string, readonly string[]> = {
  x64: ['amd64', '386'],
  ia32: ['386'],
  arm64: ['arm64'],
  arm: ['arm'],
  riscv64: ['riscv64'],
  ppc64: ['ppc64le', 'ppc64'],
  s390x: ['s390x'],
  loong64: ['loong64'],
}

/** QEMU's names in binfmt_misc, where they differ from GOARCH. */
const QEMU: Record<string, string> = { amd64: 'x86_64', '386': 'i386', arm64: 'aarch64', loong64: 'loongarch64' }

/** @throws C2M_SANDBOX_ARCHITECTURE (exit code 3) when this host cannot run programs of an image */
export async function requireArchitecture(architecture: string, binfmt = '/proc/sys/fs/binfmt_misc'): Promise<void> {
  if (NATIVE[process.arch]?.includes(architecture)) return
  if (await hasInterpreter(QEMU[architecture] ?? architecture, binfmt)) return
  throw new C2mError(
    'C2M_SANDBOX_ARCHITECTURE',
    `this host (${process.arch}) cannot run programs for ${architecture}`,
    {
      hint: 'install an emulator: apt-get install qemu-user-static binfmt-support; or convert on such a machine',
      exitCode: ExitCode.missing,
    },
  )
}

/** The interpreter must have been opened at registration ('F'), since it is not in the image's tree. */
async function hasInterpreter(name: string, binfmt: string): Promise<boolean> {
  for (const entry of await readdir(binfmt).catch(() => [])) {
    if (!entry.endsWith(`-${name}`)) continue
    const text = await readFile(`${binfmt}/${entry}`, 'utf8').catch(() => '')
    if (text.startsWith('enabled') && /^flags: .*F/m.test(text)) return true
  }
  return false
}
