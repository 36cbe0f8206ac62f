import { fileError, throwIfAborted, type Reporter } from '@c2m/process'
import { readTar, writeTar } from '@c2m/rootfs'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { contentlessPaths } from '../guest/guest.js'
import { failure, type Session } from '../namespace/session.js'
import type { SandboxTask } from '../sandbox.js'
import { convertUpper } from './upper.js'

/** Packed in the namespace, where owners and file capabilities read as they belong into an archive. */
const PACK = [
  'tar',
  '--create',
  '--format=pax',
  '--pax-option=delete=atime,delete=ctime',
  '--xattrs',
  '--xattrs-include=*',
  '--sparse',
  '--sort=name',
  '--numeric-owner',
  '--directory=/tmp/work/upper',
  '.',
]

export interface WriteOptions {
  readonly task: SandboxTask
  readonly mapped: boolean
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
}

/** Writes the session's changes to `output` as a layer. @throws C2M_SANDBOX_FAILED, C2M_SANDBOX_TOO_LARGE, C2M_FILE_… */
export async function writeLayer(session: Session, output: string, options: WriteOptions): Promise<void> {
  const { task, mapped, reporter, signal } = options
  const warn = (message: string) => reporter.warn(message)
  const child = session.start(PACK)
  const { base, sourceDateEpoch } = task
  const contentless = await contentlessPaths(task)
  const members = convertUpper(readTar(child.stdout, { warn }), { base, sourceDateEpoch, contentless, mapped, warn })
  let broken: unknown
  try {
    await pipeline(
      Readable.from(writeTar(members), { objectMode: false }),
      createWriteStream(output, { mode: 0o600 }),
      { signal },
    )
  } catch (error) {
    broken = error
    child.kill()
  }
  const exit = await child.finished
  throwIfAborted(signal)
  if (broken !== undefined && exit.signal === 'SIGKILL') throw fileError(broken, output, 'write')
  if (exit.code !== 0) throw failure('pack the changes', exit)
  if (broken !== undefined) throw fileError(broken, output, 'write')
}
