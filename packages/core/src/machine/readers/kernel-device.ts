import { open, readFile, realpath } from 'node:fs/promises'
import { basename } from 'node:path'
import type { BlockSource } from '@c2m/disk'
import { fileError, findTool, run } from '@c2m/process'

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
      for (let done = 0; done < target.length;) {
        const { bytesRead } = await file.read(target, done, target.length - done, offset + done)
        if (bytesRead === 0) throw fileError(new Error('it ends early'), device, 'read')
        done += bytesRead
      }
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
