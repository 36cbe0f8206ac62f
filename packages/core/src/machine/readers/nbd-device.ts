import { randomUUID } from 'node:crypto'
import { access, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CheckedDisk } from '@c2m/disk'
import { C2mError, ExitCode, isC2mError, requireTool, run, type CleanupStack } from '@c2m/process'
import type { ReaderContext } from '../reader.js'
import { insist, releaseHolders } from './kernel-device.js'

/** Partitions that a device of the module gets; GPT's usual 128 would take more minor numbers than there are. */
const MAX_PARTITIONS = 31
/** What qemu-nbd says when another program was faster. */
const TAKEN = /Device or resource busy|Failed to set NBD socket|Failed to open/i
const POLL_MS = 50
const END_MS = 10_000

/**
 * Connects a checked disk to a free device of the kernel's NBD client, read-only.
 * @returns e.g. '/dev/nbd0'
 * @throws C2M_TOOL_MISSING, C2M_NBD_MODULE, C2M_NBD_NO_DEVICE, C2M_COMMAND_FAILED, C2M_DISK_CHANGED, C2M_INTERRUPTED
 */
export async function connectDevice(disk: CheckedDisk, context: ReaderContext, cleanup: CleanupStack): Promise<string> {
  const program = await requireTool('qemu-nbd', 'the reader nbd', 'qemu-utils')
  await loadModule(cleanup)
  for (const device of await freeDevices()) {
    const pidFile = join(context.temporaryFolder, `nbd-${randomUUID()}.pid`)
    // before it is done: when it is interrupted, the server may run already
    cleanup.defer(() => disconnect(program, device, pidFile))
    try {
      const args = ['--read-only', `--connect=${device}`, `--pid-file=${pidFile}`, `json:${JSON.stringify(disk.node)}`]
      await run(program, args, { env: { ...context.env, LC_ALL: 'C' }, signal: context.signal })
      await connected(device)
      await disk.checkUnchanged()
      return device
    } catch (error) {
      if (!isC2mError(error) || error.code !== 'C2M_COMMAND_FAILED' || !TAKEN.test(error.message)) throw error
    }
  }
  throw new C2mError('C2M_NBD_NO_DEVICE', 'all devices /dev/nbd* are in use', {
    hint: 'qemu-nbd --disconnect /dev/nbdN frees one that nobody needs',
  })
}

async function loadModule(cleanup: CleanupStack): Promise<void> {
  if (!(await exists('/sys/block/nbd0'))) {
    const modprobe = await requireTool('modprobe', 'the reader nbd', 'kmod')
    await run(modprobe, ['nbd', `max_part=${MAX_PARTITIONS}`]).catch((error: unknown) => {
      throw new C2mError('C2M_NBD_MODULE', 'the running kernel has no module nbd', {
        hint: 'use a kernel that has it, or --reader guestfs',
        exitCode: ExitCode.missing,
        cause: error,
      })
    })
    // others may use it by now
    cleanup.defer(() => run(modprobe, ['--remove', 'nbd']).catch(() => undefined))
  }
  const partitions = await readFile('/sys/module/nbd/parameters/max_part', 'latin1').catch(() => '1')
  if (Number(partitions) > 0) return
  throw new C2mError(
    'C2M_NBD_MODULE',
    'the module nbd was loaded with max_part=0, so that its devices have no partitions',
    {
      hint: 'unload it, c2m loads it as it needs it: modprobe --remove nbd',
    },
  )
}

async function freeDevices(): Promise<readonly string[]> {
  const names = (await readdir('/sys/block')).filter((name) => /^nbd\d+$/.test(name))
  const free: string[] = []
  for (const name of names.sort((a, b) => Number(a.slice(3)) - Number(b.slice(3)))) {
    const size = await readFile(`/sys/block/${name}/size`, 'latin1').catch(() => '1')
    if (Number(size) === 0 && !(await exists(`/sys/block/${name}/pid`))) free.push(`/dev/${name}`)
  }
  return free
}

/** qemu-nbd may be back before the kernel knows the size. */
async function connected(device: string): Promise<void> {
  const size = device.replace('/dev/', '/sys/block/') + '/size'
  for (let waited = 0; waited < END_MS; waited += POLL_MS) {
    if (Number(await readFile(size, 'latin1').catch(() => '0')) > 0) return
    await sleep(POLL_MS)
  }
  throw new C2mError('C2M_NBD_NO_DEVICE', `${device} has no size after ${END_MS / 1000} s`, {
    hint: 'see what the kernel says: dmesg',
  })
}

/** Only what this run connected: the server of another program has no such file. */
async function disconnect(program: string, device: string, pidFile: string): Promise<void> {
  const pid = await serverPid(pidFile)
  if (pid === undefined) return
  await releaseHolders(device)
  await run(program, ['--disconnect', device]).catch(() => undefined)
  await insist(async () => {
    if (!(await exists(`/proc/${pid}`))) return
    process.kill(pid, 'SIGTERM')
    throw new Error(`qemu-nbd ${pid} still runs`)
  })
  await rm(pidFile, { force: true })
}

/** A server that was just started writes its file when it is ready. */
async function serverPid(pidFile: string): Promise<number | undefined> {
  for (let waited = 0; waited < 1000; waited += POLL_MS) {
    const pid = Number(await readFile(pidFile, 'latin1').catch(() => ''))
    if (Number.isSafeInteger(pid) && pid > 1) return pid
    await sleep(POLL_MS)
  }
  return undefined
}

/** Waits until the kernel shows a partition that begins where the table says. @throws C2M_NBD_PARTITION */
export async function waitForPartition(device: string, number: number, offset: number): Promise<string> {
  const path = `${device}p${number}`
  const start = `${device.replace('/dev/', '/sys/block/')}/${path.replace('/dev/', '')}/start`
  for (let waited = 0; waited < END_MS; waited += POLL_MS) {
    const sector = await readFile(start, 'latin1').catch(() => undefined)
    if (sector !== undefined && (await exists(path))) {
      if (Number(sector) * 512 === offset) return path
      break
    }
    await sleep(POLL_MS)
  }
  throw new C2mError('C2M_NBD_PARTITION', `the kernel does not show partition ${number} where the table has it`, {
    hint: 'use --reader direct or --reader guestfs',
  })
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
