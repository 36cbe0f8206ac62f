import { compareReleases } from '@c2m/linux'
import type { PlannedPartition } from '@c2m/plugin-api'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { menuText } from './menu.js'
import { updaterText, upkeepSteps } from './upkeep.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'c2m-upkeep-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const partitions: readonly PlannedPartition[] = [
  {
    role: 'root',
    number: 1,
    firstLba: 2048,
    size: 1 << 30,
    mountpoint: '/',
    filesystem: 'ext4',
    uuid: 'aaaa-bbbb',
    partuuid: 'deadbeef-01',
  },
]

function menuOf(versions: readonly string[]): string {
  const kernels = versions.map((version) => ({
    version,
    kernel: `/boot/vmlinuz-${version}`,
    initrd: `/boot/initrd.img-${version}`,
  }))
  const disk = { table: 'mbr', id: 'deadbeef', partitions } as const
  return menuText({ disk, osName: 'Example', kernels, cmdline: [], consoles: ['ttyS0'], timeout: 2, keeper: 'this' })
}

function update(seen = '/boot'): string {
  const script = updaterText({ menu: join(folder, 'extlinux.conf'), kernels: folder, seen })
  execFileSync('sh', ['-c', script])
  expect(readdirSync(folder)).not.toContain('extlinux.conf.new')
  return readFileSync(join(folder, 'extlinux.conf'), 'utf8')
}

function install(versions: readonly string[]): void {
  for (const version of versions)
    for (const name of ['vmlinuz', 'initrd.img']) writeFileSync(join(folder, `${name}-${version}`), 'x')
}

describe('the updater', () => {
  it('writes the entries that c2m would have written', () => {
    const versions = ['6.1.0-9-amd64', '6.1.0-10-amd64', '6.1.0-10-cloud-amd64', '6.1.0-10-rt-amd64', '5.10.0-30-amd64']
    writeFileSync(join(folder, 'extlinux.conf'), menuOf(['6.1.0-9-amd64']))
    install(versions)
    expect(update()).toBe(menuOf(versions.toSorted((a, b) => compareReleases(b, a))))
  })

  it('keeps the settings, and knows a /boot of its own', () => {
    const text = menuOf(['1']).replace('TIMEOUT 20', 'TIMEOUT 99')
    writeFileSync(join(folder, 'extlinux.conf'), text)
    install(['1', '2'])
    const updated = update('/')
    expect(updated).toContain('TIMEOUT 99\n')
    expect(updated).toContain('\nLABEL 2\n  MENU LABEL Linux 2\n  LINUX /vmlinuz-2\n  INITRD /initrd.img-2\n')
  })

  it('passes over what is no kernel', () => {
    writeFileSync(join(folder, 'extlinux.conf'), menuOf(['1']))
    install(['1', '1.old', '2.dpkg-tmp', '3 4', "5';x"])
    writeFileSync(join(folder, 'vmlinuz-9'), '')
    expect(update()).toBe(menuOf(['1']))
  })

  it('keeps the menu when no kernel is left', () => {
    writeFileSync(join(folder, 'extlinux.conf'), menuOf(['1']))
    expect(update()).toBe(menuOf(['1']))
  })

  it('leaves alone what is not of c2m', () => {
    writeFileSync(join(folder, 'extlinux.conf'), 'LABEL mine\n')
    install(['1'])
    expect(update()).toBe('LABEL mine\n')
  })
})

describe('upkeepSteps', () => {
  const disk = { table: 'mbr', id: 'deadbeef', partitions } as const

  it("hooks the menu to apt's kernels", () => {
    const steps = upkeepSteps({ packageManager: 'apt', disk })
    expect(steps.flatMap((step) => (step.do === 'symlink' ? [step.path] : []))).toEqual([
      '/etc/kernel/postinst.d/zz-c2m-extlinux',
      '/etc/kernel/postrm.d/zz-c2m-extlinux',
    ])
    expect(new Set(steps.map(({ id }) => id)).size).toBe(steps.length)
  })

  it("keeps apk's own updater away from the boot sector", () => {
    const steps = upkeepSteps({ packageManager: 'apk', disk })
    expect(steps.map(({ phase }) => phase)).toEqual(['packages', 'boot'])
    expect(steps[1]).toMatchObject({
      path: '/etc/update-extlinux.conf',
      content: expect.stringContaining('overwrite=0\n') as string,
    })
  })

  it('has nothing for others', () => {
    expect(upkeepSteps({ packageManager: 'toString', disk })).toEqual([])
  })
})
