import type { Match, OsRelease } from '@c2m/plugin-api'
import { silentReporter } from '@c2m/process'
import { describe, expect, it } from 'vitest'
import { memoryRootfs } from '../../../linux/src/testing/memory-rootfs.js'
import { detectDistro } from './detect.js'
import { PluginRegistry } from './registry.js'

const nothing = () => []

function registryWith(detect: (os: OsRelease) => Promise<Match | undefined>): PluginRegistry {
  const more = { kind: 'distro', summary: '', traits: nothing, toMachine: nothing, install: nothing, kernels: nothing }
  const exported = { name: 'x', apiVersion: 1, contributes: [{ ...more, id: 'nix', detect }] }
  return new PluginRegistry([{ packageName: 'x', packageVersion: '1', origin: 'library', from: 'test', exported }])
}

describe('an image without os-release', () => {
  it("is shown to the plugins as 'linux', which may give it a name", async () => {
    const registry = registryWith(async (os) => ({ distance: 0, os: { ...os, prettyName: `some ${os.id}` } }))
    const { distro, match } = await detectDistro(memoryRootfs(), registry, silentReporter)
    expect(distro.contribution.id).toBe('nix')
    expect(match.os.prettyName).toBe('some linux')
  })
  it('that no plugin knows is unknown, and so is one with os-release', async () => {
    const registry = registryWith(async () => undefined)
    await expect(detectDistro(memoryRootfs(), registry, silentReporter)).rejects.toThrow(/no \/etc\/os-release/)
    const named = memoryRootfs({ 'etc/os-release': 'ID=other\nPRETTY_NAME="Other 1"\n' })
    await expect(detectDistro(named, registry, silentReporter)).rejects.toThrow(/Other 1 \(ID=other\)/)
  })
})
