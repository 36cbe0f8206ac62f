import { createRawDisk, region } from '@c2m/disk'
import { findTool, run } from '@c2m/process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeSwap } from './writer.js'

const missing: string[] = []
for (const tool of ['mkswap', 'swaplabel', 'blkid']) {
  if ((await findTool(tool)) === undefined) missing.push(`${tool} (apt-get install util-linux)`)
}
if (missing.length > 0) console.warn(`SKIPPED: missing ${missing.join(', ')}`)

const MIB = 1024 * 1024
const UUID = '0b5c3fa2-1d4e-4f60-8a7b-9c8d7e6f5a4b'

describe.skipIf(missing.length > 0)('writeSwap', () => {
  it.each([4096, 65536])('is what mkswap writes (pages of %i bytes)', async (pageSize) => {
    const folder = await mkdtemp(join(tmpdir(), 'c2m-swap-test-'))
    try {
      const [own, reference] = [join(folder, 'own'), join(folder, 'reference')]
      for (const path of [own, reference]) {
        await using disk = await createRawDisk(path, 8 * MIB)
        if (path === own) await writeSwap(region(disk, 0, disk.size), { uuid: UUID, label: 'swap', pageSize })
      }
      await run('mkswap', ['-U', UUID, '-L', 'swap', '-p', String(pageSize), reference])
      expect((await readFile(own)).equals(await readFile(reference))).toBe(true)
      const probed = (await run('blkid', ['-p', '-o', 'export', own])).stdout.split('\n')
      for (const line of ['TYPE=swap', `UUID=${UUID}`, 'LABEL=swap', 'VERSION=1']) expect(probed).toContain(line)
      if (pageSize === 4096) expect((await run('swaplabel', [own])).stdout).toMatch(new RegExp(`UUID: +${UUID}`))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
