import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { hostPath } from '../namespace/child.js'

/** What a program gets as standard input, output and error: descriptors of this process. */
export type Descriptors = readonly [number, number, number]

export interface AttachedExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** What was written to descriptor 3. */
  readonly status: string
}

const MAX_STATUS = 65_536

/**
 * Runs a program that has this process's standard streams. Without a terminal of its own it gets a session of its own: a
 * program of an image that shared this process's terminal session could type commands into it (TIOCSTI, ioctl_tty(2)).
 * @param terminal the program makes the image's one a terminal and joins it to this one, whose foreground it needs for that
 */
export function attach(
  argv: readonly string[],
  { descriptors, terminal }: { readonly descriptors: Descriptors; readonly terminal: boolean },
): Promise<AttachedExit> {
  const [file = '', ...args] = argv
  const child = spawn(file, args, {
    cwd: '/',
    env: { PATH: hostPath(), LC_ALL: 'C' },
    stdio: [...descriptors, 'pipe'],
    detached: !terminal,
  })
  let status = ''
  const pipe = child.stdio[3] as Readable
  pipe.setEncoding('utf8').on('data', (text: string) => {
    if (status.length < MAX_STATUS) status += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, status }))
  })
}
