import { checkDisk } from '@c2m/disk'
import { C2mError, ExitCode, type CleanupStack } from '@c2m/process'
import { joinVolumes } from '../join.js'
import type { OpenedMachine, ReaderContext } from '../reader.js'
import { readVolumes } from './block-volumes.js'
import { deviceSource, settle } from './kernel-device.js'
import { KernelVolumes, type DeviceVolume } from './kernel-volumes.js'
import { connectDevice, waitForPartition } from './nbd-device.js'

/**
 * Reads a machine by this host's kernel, as root: its NBD client, its drivers, cryptsetup, LVM and GNU tar, all read-only.
 * The trees are kept in the temporary folder. The cleanup undoes everything in reverse.
 * @throws C2M_ROOT_REQUIRED, C2M_TOOL_MISSING, C2M_NBD_…, C2M_PASSPHRASE, C2M_LVM_NAME, C2M_DISK_…, C2M_ROOT_…, C2M_TAR_…,
 *   C2M_FILE_…, C2M_COMMAND_FAILED, C2M_INTERRUPTED
 */
export async function openNbd(path: string, context: ReaderContext, cleanup: CleanupStack): Promise<OpenedMachine> {
  if (process.getuid?.() !== 0) {
    throw new C2mError('C2M_ROOT_REQUIRED', 'the reader nbd mounts file systems, which only root may do', {
      hint: 'run it with sudo, or use --reader direct or --reader guestfs',
      exitCode: ExitCode.missing,
    })
  }
  const disk = await checkDisk(path, context)
  const device = await connectDevice(disk, context, cleanup)
  await settle()
  const volumes = await new KernelVolumes(context, cleanup).unfold(await partitionsOf(device, path, context))
  return joinVolumes(volumes, context)
}

async function partitionsOf(device: string, path: string, { reporter }: ReaderContext): Promise<DeviceVolume[]> {
  await using source = await deviceSource(device)
  const { volumes } = await readVolumes(source, path, reporter)
  const found: DeviceVolume[] = []
  for (const { source: _, ...volume } of volumes) {
    const { partition } = volume
    const own = partition === undefined ? device : await waitForPartition(device, partition.number, partition.offset)
    found.push({ ...volume, device: own })
  }
  return found
}
