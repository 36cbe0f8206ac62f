import type { VmToContainerResult } from '@c2m/core'
import { c2mOk, PROGRAM, type CliOptions } from '../../support/cli.js'
import { CACHE } from '../../support/paths.js'
import { tool } from './tools.js'

/** Runs `c2m vm2container … --json`; its result. */
export async function vm2container(args: readonly string[], options?: CliOptions) {
  const { stdout, stderr } = await c2mOk(['vm2container', ...args, '--json'], options)
  return { result: JSON.parse(stdout) as VmToContainerResult, stderr, warnings: warnings(stderr) }
}

/** sha256 of the tar that comes out of `vm2container -o tarball:-`: nothing is written to a disk. */
export async function tarDigest(args: readonly string[]): Promise<string> {
  const script = '"$@" | sha256sum'
  const words = [process.execPath, PROGRAM, 'vm2container', ...args, '-o', 'tarball:-', '--quiet']
  const sum = await tool('sh', ['-c', script, 'sh', ...words], { C2M_CACHE_DIR: CACHE })
  return `sha256:${sum.split(' ')[0]}`
}

/** Messages of the events that --json writes. */
export function warnings(stderr: string): readonly string[] {
  const events = stderr.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as { event: string; message?: string }]
    } catch {
      return []
    }
  })
  return events.flatMap(({ event, message }) => (event === 'warning' && message !== undefined ? [message] : []))
}
