import type { GivenKernel, InstalledKernel, Rootfs, RootfsEdit, Step } from '@c2m/plugin-api'
import { isFile } from './files.js'
import { initramfs } from './initramfs.js'
import { planModules } from './modules.js'

/** /boot/vmlinuz-RELEASE, with /boot/initramfs-RELEASE when there is one. */
export async function kernels(rootfs: Rootfs): Promise<readonly InstalledKernel[]> {
  const found: InstalledKernel[] = []
  for (const name of await rootfs.list('boot')) {
    const version = /^vmlinuz-(.+)$/.exec(name)?.[1]
    if (version === undefined || !(await isFile(rootfs, `boot/${name}`))) continue
    const initrd = `boot/initramfs-${version}`
    const hasInitrd = await isFile(rootfs, initrd)
    found.push({ version, kernel: `/boot/${name}`, ...(hasInitrd ? { initrd: `/${initrd}` } : {}) })
  }
  return found.sort((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }))
}

/** The kernel that the user gave goes to where {@link kernels} finds it. */
export async function kernelSteps(kernel: GivenKernel, warn: (message: string) => void): Promise<readonly Step[]> {
  const { release, image, modules } = kernel
  const plan = await planModules(kernel)
  if (modules === undefined) {
    warn(`no modules lie beside the kernel ${release}: it has to have the disk's driver and ext4 built in`)
  }
  const place: Step = {
    id: 'busybox/kernel',
    title: `put the kernel ${release} into /boot`,
    phase: 'configure',
    do: 'custom',
    run: ({ rootfs }) => rootfs.put({ path: `boot/vmlinuz-${release}`, type: 'file', mode: 0o644 }, image),
  }
  if (modules === undefined) return [place]
  return [
    place,
    {
      id: 'busybox/modules',
      title: `put its modules into /lib/modules/${release}`,
      phase: 'configure',
      do: 'custom',
      run: ({ rootfs }) => copyModules(modules, rootfs, `lib/modules/${release}`),
    },
    {
      id: 'busybox/modules-to-load',
      title: 'write /etc/modules: what the machine loads when it boots',
      phase: 'configure',
      do: 'write',
      path: '/etc/modules',
      content: plan.system.map((path) => `${path}\n`).join(''),
    },
    ...(plan.disk.length === 0 ? [] : [initramfsStep(release, modules, plan.disk)]),
  ]
}

function initramfsStep(release: string, modules: Rootfs, order: readonly string[]): Step {
  return {
    id: 'busybox/initramfs',
    title: `make an initial RAM disk of BusyBox and ${order.length} modules`,
    phase: 'configure',
    do: 'write',
    path: `/boot/initramfs-${release}`,
    content: (context) => initramfs(context, modules, order),
  }
}

/** Directories and files only: 'build' and 'source' are links to where the kernel was compiled. */
async function copyModules(modules: Rootfs, rootfs: RootfsEdit, to: string): Promise<void> {
  for await (const { path, type, size, mtime } of modules.walk()) {
    const entry = { path: path === '' ? to : `${to}/${path}`, mtime }
    if (type === 'directory') await rootfs.put({ ...entry, type, mode: 0o755 })
    if (type === 'file') await rootfs.put({ ...entry, type, mode: 0o644 }, { size, open: () => modules.stream(path) })
  }
}
