import { spawnSync } from 'node:child_process'

/** Runs the built program with a cache of the bench's own. */
export function c2m(args, cache = '.work/bench/cache') {
  const env = { ...process.env, C2M_CACHE_DIR: cache }
  const { status, stderr } = spawnSync(process.execPath, ['packages/cli/bin/run.js', ...args], {
    encoding: 'utf8',
    env,
  })
  if (status !== 0) throw new Error(`c2m ${args.join(' ')}: exit ${status}\n${stderr}`)
}
