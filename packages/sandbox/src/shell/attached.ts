import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { lastLines } from '@c2m/process'
import { hostPath, type Exit } from '../namespace/child.js'

/** What a program gets as standard input, output and error: descriptors of this process. */
export type Descriptors = readonly [number, number, number]

/** A program that has this process's standard streams. */
export interface Attached {
  /** Settles when it has ended, with the command's exit code; `said` holds what its preparation said. */
  readonly finished: Promise<Exit>
  /** Ends it, whatever it does. */
  kill(): void
  /** Sends it a signal that it may handle. */
  send(signal: NodeJS.Signals): void
}

/**
 * Starts a program with these descriptors. Without a terminal of its own it gets a session of its own: a program of an
 * image that shared this process's terminal session could type commands into it (TIOCSTI, ioctl_tty(2)).
 * @param terminal the program makes itself a terminal (script(1)) and needs this one's foreground for that
 */
export function attach(
  argv: readonly string[],
  { descriptors, terminal }: { readonly descriptors: Descriptors; readonly terminal: boolean },
): Attached {
  const [file = '', ...args] = argv
  const child = spawn(file, args, {
    cwd: '/',
    env: { PATH: hostPath(), LC_ALL: 'C', SHELL: '/bin/sh' },
    stdio: [...descriptors, 'pipe'],
    detached: !terminal,
  })
  const said: string[] = []
  const told = new Map<string, number>()
  let status = ''
  const control = child.stdio[3] as Readable
  createInterface({ input: control, crlfDelay: Infinity }).on('line', (line) => {
    const [, what, number] = /^c2m (pid|command|exit) (\d+)$/.exec(line) ?? []
    if (what !== undefined) told.set(what, Number(number))
    else if (line === 'c2m entered') status = 'entered'
    else if (said.length < 100) said.push(line.slice(0, 4096))
  })
  const finished = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const own = told.get('exit')
      resolve({
        code: own ?? code,
        signal: own === undefined ? signal : null,
        said: lastLines(said.join('\n')),
        status,
      })
    })
  })
  finished.catch(() => undefined)
  const attempt = (pid: number | undefined, signal: NodeJS.Signals) => {
    try {
      if (pid !== undefined && child.exitCode === null) process.kill(pid, signal)
    } catch {
      // it has just ended
    }
  }
  return {
    finished,
    // the first process of the namespace takes all others with it, and what made the terminal then restores it
    kill: () => (told.has('pid') ? attempt(told.get('pid'), 'SIGKILL') : void child.kill('SIGKILL')),
    send: (signal) => attempt(told.has('command') ? -Number(told.get('command')) : undefined, signal),
  }
}
