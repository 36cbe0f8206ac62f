import { compareReleases } from '@c2m/linux'
import type { InstalledKernel, Rootfs } from '@c2m/plugin-api'

/** Debian's names (kernel-img.conf(5)): /boot/vmlinuz-RELEASE, on some architectures vmlinux-RELEASE, and initrd.img-RELEASE. */
export async function installedKernels(rootfs: Rootfs): Promise<readonly InstalledKernel[]> {
  const boot = await rootfs.resolve('boot')
  if (boot === undefined) return []
  const kernels: InstalledKernel[] = []
  for (const name of await rootfs.list(boot)) {
    const version = /^vmlinu[xz]-(.+)$/.exec(name)?.[1]
    if (
      version === undefined ||
      /\.(?:old|bak|dpkg-[a-z]+)$/.test(version) ||
      !(await isFile(rootfs, `${boot}/${name}`))
    )
      continue
    const initrd = `${boot}/initrd.img-${version}`
    const found = (await isFile(rootfs, initrd)) ? `/${initrd}` : undefined
    kernels.push({ version, kernel: `/${boot}/${name}`, initrd: found })
  }
  return kernels.sort((a, b) => compareReleases(b.version, a.version))
}

async function isFile(rootfs: Rootfs, path: string): Promise<boolean> {
  const entry = await rootfs.stat(path)
  return entry?.type === 'file' && entry.size > 0
}
