import { stat } from 'node:fs/promises'
import { C2mError, fileError } from '@c2m/process'

/** Which file a path led to, and in which state. */
export interface FileIdentity {
  readonly path: string
  /** Device and inode. */
  readonly key: string
  /** Size and times of modification and change. */
  readonly state: string
}

/** @throws C2M_FILE_… */
export async function identify(path: string): Promise<FileIdentity> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return { path, key: `${dev}:${ino}`, state: `${size}:${mtimeNs}:${ctimeNs}` }
  } catch (error) {
    throw fileError(error, path, 'read')
  }
}

/** @throws C2M_DISK_CHANGED when a path leads elsewhere by now, or the file was written to */
export async function checkUnchanged(files: readonly FileIdentity[]): Promise<void> {
  for (const before of files) {
    const now = await identify(before.path)
    if (now.key === before.key && now.state === before.state) continue
    throw new C2mError('C2M_DISK_CHANGED', `${before.path} was changed while it was being opened`, {
      hint: 'shut down the machine that uses it, or copy the disk',
    })
  }
}
