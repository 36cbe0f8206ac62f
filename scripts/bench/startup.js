import { spawnSync } from 'node:child_process'
import { compare, verdict } from './timing.js'

/** Many, since each takes a fraction of a second. */
const STARTS = 21
const PROGRAM = 'packages/cli/bin/run.js'

/** How long the program takes to say its version, its help, and what is wrong with a flag, against Node.js doing nothing. */
export async function measure() {
  const ways = {
    node: () => start(0, '-e', '0'),
    version: () => start(0, PROGRAM, '--version'),
    help: () => start(0, PROGRAM, '--help'),
    wrong: () => start(2, PROGRAM, 'inspect'),
  }
  const seconds = await compare(ways, undefined, STARTS)
  const line = (name, what, target) => {
    const detail = `${milliseconds(seconds[name])} and ${milliseconds(seconds.node)}`
    return verdict(`${what} against node -e 0`, seconds[name] / seconds.node, target, detail)
  }
  return [line('version', 'c2m --version', 3), line('help', 'c2m --help', 6), line('wrong', 'c2m inspect', 6)]
}

function start(expected, ...args) {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== expected) throw new Error(`node ${args.join(' ')}: exit ${status}\n${stderr}`)
}

function milliseconds(seconds) {
  return `${Math.round(seconds * 1000)} ms`
}
