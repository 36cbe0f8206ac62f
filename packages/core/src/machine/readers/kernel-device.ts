import { open, readdir, readFile, realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { BlockSource } from '@c2m/disk'
import { fileError, findTool, readFully, run } from '@c2m/process'

/** The kernel gives the sizes of all block devices in this unit (sysfs-block). */
const SYSFS_SECTOR = 512

/**
 * A block device that this process brought about. Others may look at it at the same time, as udev does, so it is not claimed.
 * @throws C2M_FILE_…
 */
export async function deviceSource(device: string): Promise<BlockSource & AsyncDisposable> {
  const size = await deviceSize(device)
  const file = await open(device, 'r').catch((error: unknown) => {
    throw fileError(error, device, 'read')
  })
  return {
    size,
    async read(offset, target) {
      const read = await readFully(file, target, offset)
      if (read < target.length) throw fileError(new Error('it ends early'), device, 'read')
    },
    async *data(offset, length) {
      yield { offset, length }
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

/** Bytes. @throws C2M_FILE_… */
export async function deviceSize(device: string): Promise<number> {
  try {
    const name = basename(await realpath(device))
    return Number(await readFile(`/sys/class/block/${name}/size`, 'latin1')) * SYSFS_SECTOR
  } catch (error) {
    throw fileError(error, device, 'find the size of')
  }
}

/** Waits until udev, where it runs, has looked at all new devices. */
export async function settle(): Promise<void> {
  const udevadm = await findTool('udevadm')
  if (udevadm !== undefined) await run(udevadm, ['settle', '--timeout=20']).catch(() => undefined)
}

/** Whether a device gets its blocks from one of others, by however many steps. */
export async function sitsOn(device: string, others: readonly string[]): Promise<boolean> {
  const names = await Promise.all(others.map(kernelName))
  const visit = async (name: string): Promise<boolean> => {
    if (names.includes(name)) return true
    for (const lower of await readdir(`/sys/class/block/${name}/slaves`).catch(() => [])) {
      if (await visit(lower)) return true
    }
    return false
  }
  return visit(await kernelName(device))
}

/**
 * Ends what the host itself may have put on a device or its partitions: logical volumes and RAIDs. What they have mounted
 * stays, and is an error.
 */
export async function releaseHolders(device: string): Promise<void> {
  await settle()
  await insist(async () => {
    for (const name of await holdersOf(await kernelName(device))) await release(name)
  })
}

/** The uppermost first. */
async function holdersOf(name: string): Promise<readonly string[]> {
  const parts = await readdir(`/sys/class/block/${name}`).catch(() => [])
  const found: string[] = []
  for (const part of ['', ...parts.filter((one) => one.startsWith(name))]) {
    for (const holder of await readdir(join('/sys/class/block', name, part, 'holders')).catch(() => [])) {
      found.push(...(await holdersOf(holder)), holder)
    }
  }
  return [...new Set(found)]
}

async function release(name: string): Promise<void> {
  if (name.startsWith('md')) {
    const mdadm = await findTool('mdadm')
    if (mdadm !== undefined) await run(mdadm, ['--stop', `/dev/${name}`])
    return
  }
  const uuid = await readFile(`/sys/class/block/${name}/dm/uuid`, 'latin1').catch(() => '')
  const mapped = await readFile(`/sys/class/block/${name}/dm/name`, 'latin1').catch(() => '')
  const dmsetup = await findTool('dmsetup')
  if (uuid.startsWith('LVM-') && dmsetup !== undefined) await run(dmsetup, ['remove', mapped.trimEnd()])
}

async function kernelName(device: string): Promise<string> {
  return basename(await realpath(device).catch(() => device))
}

const TRIES = 20
const PAUSE_MS = 250

/** Runs what undoes something as often as it takes for those who still look at a device to let go of it. */
export async function insist(undo: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await undo()
      return
    } catch (error) {
      if (attempt === TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}
