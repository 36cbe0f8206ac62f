import { spawnSync } from 'node:child_process'

export const RUNS = 5

/** Runs several ways of the same work in turn, so that a slow minute of the machine hits all alike. */
export async function compare(ways, between = () => undefined, runs = RUNS) {
  const seconds = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
  for (let run = 0; run < runs; run++) {
    for (const [name, work] of Object.entries(ways)) {
      await between()
      const start = process.hrtime.bigint()
      await work()
      seconds[name].push(Number(process.hrtime.bigint() - start) / 1e9)
    }
  }
  return Object.fromEntries(Object.entries(seconds).map(([name, list]) => [name, median(list)]))
}

export function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1]
}

export function sh(script, ...args) {
  const { status, stderr, stdout } = spawnSync('sh', ['-ec', script, 'sh', ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${script}: exit ${status}\n${stderr}`)
  return stdout
}

/** One line of the result: what, the ratio, its target, and the seconds behind it. */
export function verdict(what, ratio, target, detail) {
  const mark = ratio <= target ? 'met   ' : 'MISSED'
  return `${mark} ${what}: ${ratio.toFixed(2)} (target ${target}) — ${detail}`
}
