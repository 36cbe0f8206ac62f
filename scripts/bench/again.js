import { rmSync } from 'node:fs'
import { median, verdict } from './timing.js'

/** A second conversion that differs only in its host name, against the first one (downloads cached, packages installed). */
export async function measure({ base, c2m }) {
  const disk = '.work/bench/again.img'
  const time = (flags) => {
    const start = process.hrtime.bigint()
    c2m(['container2vm', `oci:${base}`, '-o', disk, '--force', ...flags])
    return Number(process.hrtime.bigint() - start) / 1e9
  }
  time(['--hostname', 'warm'])
  const ratios = []
  const details = []
  for (let run = 0; run < 3; run++) {
    const first = time(['--hostname', 'first', '--refresh'])
    const second = time(['--hostname', 'second'])
    ratios.push(second / first)
    details.push(`${first.toFixed(1)} s, then ${second.toFixed(1)} s`)
  }
  rmSync(disk)
  return [verdict('a second machine from the same image', median(ratios), 0.25, details.join('; '))]
}
