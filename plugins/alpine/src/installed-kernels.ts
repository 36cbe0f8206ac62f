import { compareReleases, readText } from '@c2m/linux'
import type { InstalledKernel, Rootfs } from '@c2m/plugin-api'

/**
 * /boot/vmlinuz-FLAVOUR and initramfs-FLAVOUR, names that stay while the kernel is upgraded; the release is in the package's
 * /usr/share/kernel/FLAVOUR/kernel.release.
 */
export async function installedKernels(rootfs: Rootfs): Promise<readonly InstalledKernel[]> {
  const boot = await rootfs.resolve('boot')
  if (boot === undefined) return []
  const kernels: InstalledKernel[] = []
  for (const name of await rootfs.list(boot)) {
    const flavour = /^vmlinuz-([A-Za-z0-9][A-Za-z0-9._+-]*)$/.exec(name)?.[1]
    if (flavour === undefined || /\.(?:old|bak|apk-[a-z]+)$/.test(flavour)) continue
    if (!(await isFile(rootfs, `${boot}/${name}`))) continue
    const initrd = `${boot}/initramfs-${flavour}`
    const found = (await isFile(rootfs, initrd)) ? `/${initrd}` : undefined
    kernels.push({ version: await releaseOf(rootfs, flavour), kernel: `/${boot}/${name}`, initrd: found })
  }
  return kernels.sort((a, b) => compareReleases(b.version, a.version))
}

async function releaseOf(rootfs: Rootfs, flavour: string): Promise<string> {
  const text = (await readText(rootfs, `usr/share/kernel/${flavour}/kernel.release`, 1024).catch(() => undefined)) ?? ''
  const release = text.trim()
  return /^[A-Za-z0-9._+~-]{1,100}$/.test(release) ? release : flavour
}

async function isFile(rootfs: Rootfs, path: string): Promise<boolean> {
  const entry = await rootfs.stat(path)
  return entry?.type === 'file' && entry.size > 0
}
