import { spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { readTar, writeTar } from '../../packages/rootfs/dist/index.js'
import { verdict } from './timing.js'

const FOLDER = '.work/bench'

/** Peak resident memory of assembling the tree, and one five times as large, against 256 MiB and 600 bytes an entry. */
export async function measure({ tar }) {
  const large = `${FOLDER}/tree-5.tar`
  if (!existsSync(large)) {
    await pipeline(writeTar(five(tar)), createWriteStream(`${large}.partial`))
    renameSync(`${large}.partial`, large)
  }
  return [tar, large].map((input) => {
    const result = spawnSync(process.execPath, ['scripts/bench/assemble-tree.js', input, `${FOLDER}/memory.img`], {
      encoding: 'utf8',
    })
    rmSync(`${FOLDER}/memory.img`, { force: true })
    if (result.status !== 0) throw new Error(result.stderr)
    const { peak, entries } = JSON.parse(result.stdout)
    const allowed = 256 * 2 ** 20 + 600 * entries
    return verdict(
      `peak memory with ${entries} entries`,
      peak / allowed,
      1,
      `${Math.round(peak / 2 ** 20)} MiB of ${Math.round(allowed / 2 ** 20)} MiB`,
    )
  })
}

/** The tree's members as they are, so that it stays a machine's tree, and four times more, below copy-2 to copy-5. */
async function* five(tar) {
  for (let copy = 1; copy <= 5; copy++) {
    for await (const member of readTar(createReadStream(tar, { highWaterMark: 2 ** 20 }))) {
      const below = (path) => (copy === 1 ? path : path === '' ? `copy-${copy}` : `copy-${copy}/${path}`)
      const linkTarget = member.type === 'hardlink' ? below(member.linkTarget) : member.linkTarget
      yield { ...member, path: below(member.path), linkTarget }
    }
  }
}
