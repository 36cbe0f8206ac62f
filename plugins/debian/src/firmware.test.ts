import { describe, expect, it } from 'vitest'
import { archiveComponents } from './firmware.js'
import { debian, image, packagesOf, taskFor } from './testing/task.js'

const ONE_LINE = 'etc/apt/sources.list'
const DEB822 = 'etc/apt/sources.list.d/debian.sources'
const FREE = 'firmware-linux-free'

describe('components', () => {
  it('are read from package sources of both styles', async () => {
    const tree = image({
      [ONE_LINE]:
        '# deb http://a/debian x commented\ndeb [arch=amd64 signed-by=/k.gpg] http://a/debian bookworm main  contrib # yes\ndeb-src http://a/debian bookworm source\n',
      [DEB822]: [
        'Types: deb deb-src',
        'URIs: http://a/debian',
        'Suites: bookworm',
        '# Components: commented',
        'Components: main',
        ' non-free-firmware',
        '',
        'Types: deb-src',
        'Components: source',
        '',
        'Types: deb',
        'Enabled: no',
        'Components: disabled',
      ].join('\n'),
      'etc/apt/sources.list.d/other.list': 'deb http://b/ ./',
      'etc/apt/sources.list.d/notes.txt': 'deb http://a/debian bookworm notes',
    })
    expect([...(await archiveComponents(tree))].sort()).toEqual(['contrib', 'main', 'non-free-firmware'])
    expect([...(await archiveComponents(image()))]).toEqual([])
  })
})

describe('a machine of metal', () => {
  const sources = (components: string) =>
    image({ [ONE_LINE]: `deb http://deb.debian.org/debian stable ${components}\n` })
  const firmwareOf = async (version: string, components: string) => {
    const task = await taskFor(version, {}, sources(components), 'physical')
    const packages = await packagesOf(task)
    return { packages: packages.filter((name) => /firmware|microcode/.test(name)), warnings: task.warnings }
  }

  it('gets what the package sources have', async () => {
    const { packages, warnings } = await firmwareOf('12', 'main non-free-firmware')
    expect(packages).toEqual(expect.arrayContaining([FREE, 'firmware-linux', 'firmware-iwlwifi', 'intel-microcode']))
    expect(warnings).toEqual([])
  })
  it('goes without the rest, which is said', async () => {
    const { packages, warnings } = await firmwareOf('12', 'main')
    expect(packages).toEqual([FREE])
    expect(warnings).toEqual([
      expect.stringMatching(/firmware of most .* cards is not installed: .* lack the component non-free-firmware;/),
      expect.stringMatching(/microcode is not installed/),
    ])
  })
  it('has its firmware elsewhere before release 12', async () => {
    const { packages, warnings } = await firmwareOf('11', 'main non-free')
    expect(packages).toContain('firmware-linux')
    expect(packages).not.toContain('intel-microcode')
    expect(warnings.join()).toMatch(/lack the component contrib/)
  })
  it('gets what was split off in release 13', async () => {
    expect((await firmwareOf('13', 'main non-free-firmware')).packages).toContain('firmware-intel-graphics')
    expect((await firmwareOf('12', 'main non-free-firmware')).packages).not.toContain('firmware-intel-graphics')
  })
  it('gets a kernel with drivers, or is warned of another', async () => {
    const { match, traits } = await taskFor('12', {}, image(), 'physical')
    expect(traits.kernels.map(({ id }) => id)).toEqual(['generic', 'cloud'])
    expect(traits.kernels[1]?.unsuitable).toMatchObject({ because: 'it has drivers for virtual machines only' })
    expect(traits.kernels[1]?.unsuitable?.formats).toContain('raw')
    expect(debian.traits(match, 'amd64', 'vm').kernels[1]?.unsuitable?.formats).not.toContain('raw')
  })
})

describe('a virtual machine', () => {
  it('needs no firmware', async () => {
    const task = await taskFor('12', {}, image({ [ONE_LINE]: 'deb http://a/debian stable main non-free-firmware' }))
    expect((await packagesOf(task)).filter((name) => /firmware|microcode/.test(name))).toEqual([])
    expect(task.warnings).toEqual([])
  })
})
