import type { BootTask, Step, StepContext } from '@c2m/plugin-api'
import { bootCode, bootSector } from './boot-sector.js'
import { extlinuxError } from './error.js'
import { bootCodeName, collectFiles, installedFile } from './files.js'
import { layoutOf, MAX_LOADER, patchLoader } from './loader.js'
import { FOLDER, home, LOADER, MENU } from './location.js'
import { isBootable, menuText } from './menu.js'
import { extlinuxPackages } from './packages.js'
import { BOOT_SECTOR, makeLoader } from './scratch.js'
import { SECTOR, sectorsOf } from './sectors.js'
import { keeperOf, upkeepSteps } from './upkeep.js'

/** @throws C2M_EXTLINUX_NO_ROOT, C2M_EXTLINUX_FILESYSTEM */
export function installSteps(task: BootTask): readonly Step[] {
  const { partition } = home(task.disk)
  return [
    ...(extlinuxPackages(task.packageManager) === undefined ? [] : [makeLoader()]),
    {
      id: 'extlinux/files',
      title: `put EXTLINUX's files into ${FOLDER}`,
      phase: 'boot',
      do: 'custom',
      run: installFiles,
    },
    {
      id: 'extlinux/menu',
      title: "write EXTLINUX's menu",
      phase: 'boot',
      do: 'write',
      path: MENU,
      content: (context) => menu(task, context),
      mode: 0o644,
    },
    ...upkeepSteps(task),
    {
      id: 'extlinux/boot-code',
      title: `write ${bootCodeName(task.disk.table)} to the first sector of the disk`,
      phase: 'assemble',
      do: 'writeBlocks',
      where: { offset: 0 },
      bytes: diskBootCode,
    },
    {
      id: 'extlinux/boot-sector',
      title: `write EXTLINUX's boot sector to partition ${partition.number}`,
      phase: 'assemble',
      do: 'writeBlocks',
      where: { partition: partition.role, offset: 0 },
      locate: [LOADER],
      bytes: partitionBootSector,
    },
    {
      id: 'extlinux/loader-sectors',
      title: `tell ${LOADER} where it lies`,
      phase: 'assemble',
      do: 'writeBlocks',
      where: { file: LOADER },
      locate: [LOADER],
      bytes: placedLoader,
    },
  ]
}

async function installFiles({ rootfs, disk, signal }: StepContext): Promise<void> {
  const files = await collectFiles(rootfs, disk.table, signal)
  for (const [name, content] of files) {
    const path = `${FOLDER.slice(1)}/${name}`
    await rootfs.remove(path)
    await rootfs.put({ path, type: 'file', mode: 0o644 }, content)
  }
}

async function menu(task: BootTask, { rootfs, disk, warn }: StepContext): Promise<string> {
  const kernels = await task.kernels(rootfs)
  for (const kernel of kernels.filter((candidate) => !isBootable(candidate, disk))) {
    warn(
      `EXTLINUX's menu leaves out ${JSON.stringify(kernel.kernel)}: it can read plain names in its own file system only`,
    )
  }
  return menuText({ ...task, disk, kernels, keeper: keeperOf(task.packageManager) })
}

async function diskBootCode({ rootfs, disk }: StepContext): Promise<Uint8Array> {
  const name = bootCodeName(disk.table)
  return bootCode(await installedFile(rootfs, name), name)
}

async function partitionBootSector(context: StepContext): Promise<Uint8Array> {
  const { rootfs, disk } = context
  const { loader, sectors } = await placed(context)
  const image = await installedFile(rootfs, BOOT_SECTOR, SECTOR)
  return bootSector(image, layoutOf(loader), sectors[0] ?? 0, home(disk).partition.firstLba)
}

async function placedLoader(context: StepContext): Promise<Uint8Array> {
  const { loader, sectors } = await placed(context)
  return patchLoader(loader, sectors, home(context.disk).path)
}

async function placed({ rootfs, places }: StepContext): Promise<{
  readonly loader: Uint8Array
  readonly sectors: readonly number[]
}> {
  const loader = await installedFile(rootfs, 'ldlinux.sys', MAX_LOADER)
  const place = places.get(LOADER)
  if (place === undefined) {
    throw extlinuxError(
      'C2M_EXTLINUX_PLACE',
      `${LOADER} is not in the file system that it would be started from`,
      `make ${FOLDER} and the folders above it folders, not links`,
    )
  }
  return { loader, sectors: sectorsOf(LOADER, place, loader.length) }
}
