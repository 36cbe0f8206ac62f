import type { BootTask, InstalledKernel, NewBody, RootfsEdit, Step, StepContext, WriteStep } from '@c2m/plugin-api'
import { commandLine, entryText, isBootable, loaderText, titleOf, tokenOf } from './entry.js'
import { systemdBootError } from './error.js'
import { findLoader } from './loader.js'
import { ARCHITECTURES, ESP, suffixOf } from './support.js'
import { COMMAND_LINE, upkeepSteps } from './upkeep.js'

/**
 * Everything is on the EFI system partition, which is all that the loader reads: itself, its settings, an entry for each
 * kernel, and copies of the kernels.
 *
 *     EFI/BOOT/BOOTX64.EFI            what firmware starts on a disk that it does not know
 *     EFI/systemd/systemd-bootx64.efi where `bootctl update` expects it
 *     loader/loader.conf
 *     loader/entries/TOKEN-VERSION.conf
 *     TOKEN/VERSION/linux, initrd
 *
 * @throws C2M_SYSTEMD_BOOT_ARCHITECTURE, C2M_SYSTEMD_BOOT_NO_ESP, C2M_SYSTEMD_BOOT_NO_ROOT, C2M_SYSTEMD_BOOT_CMDLINE
 */
export function installSteps(task: BootTask): readonly Step[] {
  const suffix = requireSuffix(task.architecture)
  requireEsp(task)
  const options = commandLine(task)
  return [
    {
      id: 'systemd-boot/loader',
      title: 'put systemd-boot into the EFI system partition',
      phase: 'boot',
      do: 'custom',
      run: (context) => installLoader(context, suffix),
    },
    write('systemd-boot/settings', "write the menu's settings", `${ESP}/loader/loader.conf`, loaderText(task.timeout)),
    write('systemd-boot/command-line', "write the kernel's command line", COMMAND_LINE, `${options}\n`),
    {
      id: 'systemd-boot/kernels',
      title: 'copy the kernels into the EFI system partition, with an entry for each',
      phase: 'boot',
      do: 'custom',
      run: (context) => installKernels(context, task, options),
    },
    ...upkeepSteps(task),
  ]
}

async function installLoader({ rootfs }: StepContext, suffix: string): Promise<void> {
  const program = await findLoader(rootfs, suffix)
  await put(rootfs, `EFI/BOOT/BOOT${suffix.toUpperCase()}.EFI`, program)
  await put(rootfs, `EFI/systemd/systemd-boot${suffix}.efi`, program)
}

async function installKernels({ rootfs, warn }: StepContext, task: BootTask, options: string): Promise<void> {
  const kernels = await task.kernels(rootfs)
  const token = tokenOf(task.osId)
  const title = titleOf(task.osName)
  for (const kernel of kernels) {
    const { version, initrd } = kernel
    if (!isBootable(kernel)) {
      warn(`systemd-boot's menu leaves out the kernel ${JSON.stringify(version)}: FAT cannot hold its name`)
      continue
    }
    await put(rootfs, `${token}/${version}/linux`, await bodyOf(rootfs, kernel.kernel))
    if (initrd !== undefined) await put(rootfs, `${token}/${version}/initrd`, await bodyOf(rootfs, initrd))
    const text = entryText({ token, title, version, hasInitrd: initrd !== undefined, options })
    await put(rootfs, `loader/entries/${token}-${version}.conf`, Buffer.from(text))
  }
  if (!kernels.some(isBootable)) throw noKernel(kernels)
}

/** Opened anew each time it is read: a kernel is never held in memory. */
async function bodyOf(rootfs: RootfsEdit, path: string): Promise<NewBody> {
  const target = await rootfs.resolve(path.slice(1))
  const entry = target === undefined ? undefined : await rootfs.stat(target)
  if (target !== undefined && entry?.type === 'file') return { size: entry.size, open: () => rootfs.stream(target) }
  throw systemdBootError('C2M_SYSTEMD_BOOT_KERNEL', `${path} is no file`, 'see which package should have installed it')
}

async function put(rootfs: RootfsEdit, path: string, body: NewBody): Promise<void> {
  await rootfs.put({ path: `${ESP.slice(1)}/${path}`, type: 'file', mode: 0o644 }, body)
}

function write(id: string, title: string, path: string, content: string): WriteStep {
  return { id, title, phase: 'boot', do: 'write', path, content, mode: 0o644 }
}

function noKernel(kernels: readonly InstalledKernel[]): Error {
  return systemdBootError(
    'C2M_SYSTEMD_BOOT_NO_KERNEL',
    `systemd-boot has nothing to boot: of ${kernels.length} kernels in the tree it can start none`,
    'see in the package step (--verbose) whether a kernel was installed, or name one with --kernel',
  )
}

function requireSuffix(architecture: string): string {
  const suffix = suffixOf(architecture)
  if (suffix !== undefined) return suffix
  throw systemdBootError(
    'C2M_SYSTEMD_BOOT_ARCHITECTURE',
    `systemd-boot for ${JSON.stringify(architecture)} is not known`,
    `the architectures are ${ARCHITECTURES.join(', ')}`,
    2,
  )
}

function requireEsp({ disk }: BootTask): void {
  if (disk.partitions.some(({ role, mountpoint }) => role === 'esp' && mountpoint === ESP)) return
  throw systemdBootError(
    'C2M_SYSTEMD_BOOT_NO_ESP',
    'the disk has no EFI system partition for systemd-boot',
    `plan one that is mounted at ${ESP}`,
  )
}
