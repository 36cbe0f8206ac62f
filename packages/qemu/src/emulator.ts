import { spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { findTool, run } from '@c2m/process'

export interface EmulatorExit {
  /** Undefined when it was ended by a signal or could not be started. */
  readonly code?: number
  readonly signal?: string
  /** The end of what it wrote to stderr. */
  readonly stderr: string
}

/** A QEMU process. Its sockets stand in file descriptors 3, 4, … of the child: no names, so no paths to clean up. */
export interface Emulator {
  readonly sockets: readonly Duplex[]
  /** Never rejects. */
  readonly exited: Promise<EmulatorExit>
  stderr(): string
  /** Asks it to end, and makes it end when it has not within `patience` milliseconds. */
  end(patience: number): Promise<void>
}

const STDERR_LIMIT = 16 * 1024

/**
 * Starts QEMU in a process group of its own, so that Ctrl-C in the terminal reaches c2m only, which then ends it in
 * order. Should c2m be killed, the kernel kills QEMU (prctl(2), PR_SET_PDEATHSIG) where util-linux can arrange that.
 */
export async function startEmulator(program: string, args: readonly string[], sockets: number): Promise<Emulator> {
  const [file = program, ...rest] = [...(await endingWithParent()), program, ...args]
  const child = spawn(file, rest, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...Array.from({ length: sockets }, () => 'pipe' as const)],
  })
  let stderr = ''
  const note = (chunk: Buffer | string) => {
    stderr = (stderr + chunk.toString()).slice(-STDERR_LIMIT)
  }
  child.stdout?.on('data', note)
  child.stderr?.on('data', note)
  const streams = child.stdio.slice(3) as Duplex[]
  // a socket that breaks is a process that ends: judged by its exit
  for (const stream of streams) stream.on('error', () => undefined)

  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const exited = new Promise<EmulatorExit>((resolve) => {
    child.once('error', (error) => {
      note(error.message)
      resolve({ stderr })
    })
    child.once('close', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined, stderr }))
  }).finally(() => {
    process.removeListener('exit', kill)
    for (const stream of streams) stream.destroy()
  })

  return {
    sockets: streams,
    exited,
    stderr: () => stderr,
    async end(patience) {
      child.kill('SIGTERM')
      const timer = new AbortController()
      await Promise.race([exited, delay(patience, undefined, { signal: timer.signal }).catch(() => undefined)])
      timer.abort()
      kill()
      await exited
    },
  }
}

async function endingWithParent(): Promise<string[]> {
  const setpriv = await findTool('setpriv')
  if (setpriv === undefined) return []
  const command = ['--pdeathsig', 'KILL']
  // older and smaller implementations lack the option
  const works = await run(setpriv, [...command, 'true']).then(
    () => true,
    () => false,
  )
  return works ? [setpriv, ...command] : []
}
