import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { HostFolders } from '../device/block-device.js'

export interface FakeHost {
  /** Devices by their folder below /sys/devices, e.g. 'pci/block/sda/sda1'. Files 'dev' and the like by name. */
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly mountinfo?: string
  readonly swaps?: string
  /** udev's database, by 'b8:0'. */
  readonly udev?: Readonly<Record<string, string>>
}

/** Folders as /sys, /proc and /run/udev have them, with as much as is looked at. */
export async function fakeHost(root: string, host: FakeHost): Promise<HostFolders> {
  const put = async (path: string, content: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), `${content}\n`)
  }
  for (const folder of ['sys/dev/block', 'sys/class/block', 'proc/self', 'udev/data']) {
    await mkdir(join(root, folder), { recursive: true })
  }
  for (const [device, files] of Object.entries(host.devices)) {
    const folder = `sys/devices/${device}`
    for (const [name, content] of Object.entries(files)) await put(`${folder}/${name}`, content)
    await symlink(join(root, folder), join(root, 'sys/dev/block', files['dev'] ?? ''))
    await symlink(join(root, folder), join(root, 'sys/class/block', device.split('/').at(-1) ?? ''))
  }
  await put('proc/self/mountinfo', host.mountinfo ?? '')
  await put('proc/swaps', host.swaps ?? '')
  for (const [name, content] of Object.entries(host.udev ?? {})) await put(`udev/data/${name}`, content)
  return { sys: join(root, 'sys'), proc: join(root, 'proc'), udev: join(root, 'udev') }
}
