import { spawnSync } from 'node:child_process'
import { rmSync, statSync } from 'node:fs'
import { compare, median, sh, verdict } from './timing.js'

const SCRATCH = '.work/bench/gzip'
const LEVEL = 6

/** The tree's tar, compressed as layers are, against pigz at the same level on the same cores. */
export async function measure({ tar }) {
  sh('mkdir -p "$1"', SCRATCH)
  const [own, other] = [`${SCRATCH}/c2m.gz`, `${SCRATCH}/pigz.gz`]
  const stage = []
  const seconds = await compare({
    c2m: () => {
      const args = ['scripts/bench/gzip-tar.js', tar, own, String(LEVEL)]
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      if (status !== 0) throw new Error(stderr)
      stage.push(Number(stdout))
    },
    pigz: () => sh('pigz -c "-$3" "$1" > "$2"', tar, other, LEVEL),
  })
  sh('gzip -dc "$1" | cmp - "$2"', own, tar)
  const sizes = [own, other].map((path) => `${Math.round(statSync(path).size / 2 ** 20)} MiB`)
  rmSync(SCRATCH, { recursive: true })
  const detail = `${median(stage).toFixed(2)} s (${seconds.c2m.toFixed(2)} s with the start of Node) for ${sizes[0]}, pigz ${seconds.pigz.toFixed(2)} s for ${sizes[1]}`
  return [verdict(`gzip at level ${LEVEL} against pigz`, median(stage) / seconds.pigz, 0.95, detail)]
}
