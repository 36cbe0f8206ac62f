import { mkdtemp, rm } from 'node:fs/promises'
import { createReadStream, createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { DistroPlugin, MachineTarget } from '@c2m/plugin-api'
import { plugin } from '@c2m/plugin-alpine'
import { indexLayer, mergeLayers } from '@c2m/rootfs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  alpineRoot,
  missingForAlpine,
  realServiceScripts,
  SCRIPTS_OF_3_9,
  type AlpineVersion,
} from '../support/alpine.js'
import { planAndConfiguration } from '../support/golden.js'

const alpine = plugin.contributes[0] as DistroPlugin

const KEYMAP = 'usr/share/bkeymaps/de/de.bmap.gz'

const SCRIPTS: Readonly<Record<AlpineVersion, () => Promise<readonly string[]>>> = {
  '3.9.6': async () => SCRIPTS_OF_3_9,
  '3.19.4': realServiceScripts,
}

const missing = missingForAlpine()
if (missing !== undefined) console.warn(`skipped: ${missing} is not there`)

describe.skipIf(missing !== undefined)('a real Alpine tree', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-golden-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each<readonly [AlpineVersion, MachineTarget]>([
    ['3.9.6', 'vm'],
    ['3.19.4', 'vm'],
    ['3.19.4', 'physical'],
  ])('%s (%s) is planned and configured as somebody has checked by hand', async (version, target) => {
    const tar = join(folder, `${version}.tar`)
    await pipeline(createReadStream(alpineRoot(version)), createGunzip(), createWriteStream(tar))
    await using layer = await indexLayer(tar)
    await using image = await mergeLayers([layer])
    const machine = target === 'physical' ? { keyboard: 'de' } : {}
    const text = await planAndConfiguration(alpine, image, { target, machine }, async (tree) => {
      for (const name of await SCRIPTS[version]()) {
        await tree.put({ path: `etc/init.d/${name}`, type: 'file', mode: 0o755 })
      }
      // what the package kbd-bkeymaps would bring
      if (target === 'physical') await tree.put({ path: KEYMAP, type: 'file', mode: 0o644 })
    })
    await expect(text).toMatchFileSnapshot(`alpine-${version}${target === 'vm' ? '' : `-${target}`}.txt`)
  })
})
