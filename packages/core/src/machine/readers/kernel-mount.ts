import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Rootfs } from '@c2m/plugin-api'
import { openDirectory } from '@c2m/rootfs'
import { parseMountinfo, requireTool, run, runToFile, type CleanupStack, type Mount } from '@c2m/process'
import type { ReaderContext } from '../reader.js'
import { TAR_CHANGED, TarDiagnostics, tarArguments } from './gnu-tar.js'
import { insist } from './kernel-device.js'
import { openSpooledTar } from './spooled-tar.js'

/** What keeps each kernel driver from writing to a device, the replay of its journal included. */
const NO_REPLAY: Readonly<Record<string, readonly string[]>> = {
  ext2: [],
  ext3: ['noload'],
  ext4: ['noload'],
  xfs: ['norecovery', 'nouuid'],
  btrfs: ['rescue=nologreplay'],
  f2fs: ['norecovery'],
  squashfs: [],
  erofs: [],
}

export function isMountable(type: string): boolean {
  return Object.hasOwn(NO_REPLAY, type)
}

/** A file system that the kernel reads. Its folder is below the temporary folder, which only this user can enter. */
export class KernelMount {
  private constructor(
    readonly folder: string,
    private readonly shown: string,
    private readonly context: ReaderContext,
    private readonly cleanup: CleanupStack,
  ) {}

  /**
   * Mounts read-only; nothing in it can run or be a device. The cleanup unmounts it.
   * @param shown the volume in messages
   * @param options further ones, of mount(8)
   * @throws C2M_TOOL_MISSING, C2M_COMMAND_FAILED, C2M_INTERRUPTED
   */
  static async make(
    device: string,
    type: string,
    shown: string,
    options: readonly string[],
    context: ReaderContext,
    cleanup: CleanupStack,
  ): Promise<KernelMount> {
    const mount = await requireTool('mount', 'the reader nbd', 'mount')
    const umount = await requireTool('umount', 'the reader nbd', 'mount')
    const folder = join(context.temporaryFolder, `mount-${randomUUID()}`)
    await mkdir(folder, { mode: 0o700 })
    cleanup.defer(async () => {
      await insist(async () => {
        if (await isMounted(folder)) await run(umount, [folder])
      })
      await rmdir(folder)
    })
    const all = ['ro', 'nosuid', 'nodev', 'noexec', ...(NO_REPLAY[type] ?? []), ...options].join(',')
    const args = ['--types', type, '--options', all, '--source', device, '--target', folder]
    await run(mount, args, { env: { ...context.env, LC_ALL: 'C' }, signal: context.signal })
    return new KernelMount(folder, shown, context, cleanup)
  }

  /** Names and attributes at once, for looking. */
  async look(): Promise<Rootfs> {
    const rootfs = await openDirectory(this.folder, { signal: this.context.signal })
    this.cleanup.defer(() => rootfs[Symbol.asyncDispose]())
    return rootfs
  }

  /** The whole tree, by GNU tar. @throws C2M_NBD_UNREADABLE, C2M_TAR_…, C2M_FILE_…, C2M_INTERRUPTED */
  async whole(): Promise<Rootfs> {
    const { env, signal, reporter, temporaryFolder } = this.context
    const tar = await requireTool('tar', 'the reader nbd', 'tar')
    const spool = join(temporaryFolder, `nbd-${randomUUID()}.tar`)
    this.cleanup.defer(() => rm(spool, { force: true }))
    const said = new TarDiagnostics()
    const { exitCode } = await runToFile(tar, tarArguments({ folder: this.folder, allFilesystems: false }), spool, {
      env: { ...env, LC_ALL: 'C' },
      signal,
      onLine: said.take,
      onBytes: (bytes) => reporter.progress(bytes),
    })
    if (exitCode !== 0 && exitCode !== TAR_CHANGED) {
      throw said.failure(
        'C2M_NBD_UNREADABLE',
        this.shown,
        'the disk or the file system is damaged; check a copy with fsck',
      )
    }
    said.report(reporter)
    return openSpooledTar(spool, this.context, this.cleanup)
  }

  /** Which part of the file system is shown, e.g. '/' or, of btrfs, '/@' (proc_pid_mountinfo(5), field 4). */
  async part(): Promise<string> {
    return (await mountOn(this.folder))?.root ?? '/'
  }
}

async function isMounted(folder: string): Promise<boolean> {
  return (await mountOn(folder)) !== undefined
}

async function mountOn(folder: string): Promise<Mount | undefined> {
  return parseMountinfo(await readFile('/proc/self/mountinfo', 'utf8')).find(({ target }) => target === folder)
}
