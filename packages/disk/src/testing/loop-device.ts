import { execFileSync } from 'node:child_process'
import { truncate, writeFile } from 'node:fs/promises'

export interface LoopDevice extends AsyncDisposable {
  /** E.g. '/dev/loop3'. */
  readonly path: string
  /** The file behind it. */
  readonly file: string
}

/** Why there can be no loop devices here; undefined when there can. */
export function noLoopDevices(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may make loop devices'
  try {
    execFileSync('losetup', ['--find'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `there is no free loop device: ${(error as Error).message.split('\n').at(-1)}`
  }
}

/**
 * A block device of `size` bytes.
 * @param flags of losetup(8), e.g. '--read-only'
 */
export async function loopDevice(file: string, size: number, flags: readonly string[] = []): Promise<LoopDevice> {
  await writeFile(file, '', { flag: 'a' })
  await truncate(file, size)
  const path = execFileSync('losetup', ['--find', '--show', ...flags, file], { encoding: 'utf8' }).trim()
  return {
    path,
    file,
    [Symbol.asyncDispose]: async () => void execFileSync('losetup', ['--detach', path], { stdio: 'pipe' }),
  }
}
