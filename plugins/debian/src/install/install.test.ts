import { execFileSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { debian, image, packagesOf, taskFor } from '../testing/task.js'
import { DEBIAN_ARCHIVE } from './archive.js'
import { downloadAndInstall } from './download-script.js'
import { CLEAN_UP, MAKE_INITRAMFS, MAKE_LOCALE } from './scripts.js'
import { initramfsSettings } from './initramfs-settings.js'
import { RELEASES } from '../releases.js'

describe('install', () => {
  it('does not depend on what two machines of one image do not share', async () => {
    const one = await debian.install(['b', 'a'], await taskFor('12', { hostname: 'one' }))
    const two = await debian.install(['a', 'b', 'a'], await taskFor('12', { hostname: 'two', dns: ['9.9.9.9'] }))
    expect(JSON.stringify(one)).toBe(JSON.stringify(two))
  })
  it('does depend on the locale', async () => {
    const steps = await debian.install(['a'], await taskFor('12', { locale: 'de_DE.UTF-8' }))
    expect(steps.find(({ id }) => id === 'debian/locale-data')).toMatchObject({
      argv: ['/usr/local/sbin/c2m-locale-data', 'de_DE.UTF-8 UTF-8', 'de_DE UTF-8'],
    })
  })
  it('sets the keyboard, if there is such a layout', async () => {
    const steps = await debian.install(['a'], await taskFor('12', { keyboard: 'de:nodeadkeys' }))
    expect(steps.find(({ id }) => id === 'debian/keyboard')).toMatchObject({
      argv: ['/usr/local/sbin/c2m-keyboard', 'de', 'nodeadkeys'],
    })
    expect(await packagesOf(await taskFor('12', { keyboard: 'de' }))).toContain('console-setup')
    await expect(taskFor('12', { keyboard: 'de nodeadkeys' }).then((task) => debian.install([], task))).rejects.toThrow(
      /'de nodeadkeys' is no keyboard layout/,
    )
  })
  it("puts the container's settings out of force, and brings back units that were removed", async () => {
    const tree = image({
      'etc/apt/apt.conf.d/docker-clean': 'x',
      'var/lib/dpkg/info/systemd.list': '/.\n/lib/systemd/system/getty.target\n/usr/share/doc/gone\n',
      'var/lib/dpkg/info/udev.list': '/lib/systemd/system/udev.service\n',
      'lib/systemd/system/udev.service': '-> systemd-udevd.service',
    })
    const steps = await debian.install(['a'], await taskFor('12', {}, tree))
    expect(steps).toContainEqual(expect.objectContaining({ path: '/etc/apt/apt.conf.d/docker-clean', content: '' }))
    expect(steps.find(({ id }) => id === 'debian/install')).toMatchObject({
      env: { C2M_REINSTALL: 'systemd', C2M_ARCHIVE: 'no' },
    })
  })
  it('forgets kernels and firmware whose files stayed with a machine, so that they can be installed again', async () => {
    const tree = image({
      'var/lib/dpkg/info/linux-image-amd64.list': '/.\n/usr/share/doc/linux-image-amd64/copyright\n',
      'var/lib/dpkg/info/linux-image-6.1.0-9-amd64.list': '/boot\n/boot/vmlinuz-6.1.0-9-amd64\n',
      'var/lib/dpkg/info/linux-image-6.1.0-8-amd64.list': '/boot\n/boot/vmlinuz-6.1.0-8-amd64\n',
      'boot/vmlinuz-6.1.0-8-amd64': 'x',
      'var/lib/dpkg/info/firmware-misc.list': '/lib/firmware\n/lib/firmware/misc.bin\n',
      'var/lib/dpkg/info/libc6:amd64.list': '/lib/firmware/odd\n',
    })
    const steps = await debian.install(['a'], await taskFor('12', {}, tree))
    expect(steps.find(({ id }) => id === 'debian/install')).toMatchObject({
      env: { C2M_STRIPPED: 'firmware-misc linux-image-6.1.0-9-amd64' },
    })
  })
  it('says when sources become those of the archive', async () => {
    const task = await taskFor('10')
    await debian.install(['a'], task)
    expect(task.warnings.join()).toContain('archive.debian.org')
  })
  it.each(['-o', 'bash-', '--reinstall', 'a b', 'A', '', '../x.deb', '$(x)'])(
    'does not take %j for a package',
    async (name) => {
      await expect(debian.install([name], await taskFor('12'))).rejects.toThrow(/no package's name/)
    },
  )
  it.each(['g++', 'libc6:i386', 'curl=7.88.1-10+deb12u4', 'curl/bookworm-backports', 'linux-image-6.1.0-9-amd64'])(
    'takes %j',
    async (name) => {
      await expect(debian.install([name], await taskFor('12'))).resolves.toBeDefined()
    },
  )
})

describe('scripts', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'c2m-debian-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  it.each(
    Object.entries({
      install: downloadAndInstall(DEBIAN_ARCHIVE.script),
      MAKE_INITRAMFS,
      MAKE_LOCALE,
      CLEAN_UP,
      settings: initramfsSettings(RELEASES[0]!),
    }),
  )('%s is a shell script', (_name, script) => {
    expect(() => execFileSync('sh', ['-n'], { input: script })).not.toThrow()
  })

  it('the sources of a release that left the mirrors become those of the archive', () => {
    mkdirSync(join(folder, 'sources.list.d'))
    writeFileSync(
      join(folder, 'sources.list'),
      [
        '# deb http://deb.debian.org/debian stretch main',
        'deb http://deb.debian.org/debian stretch main',
        'deb [signed-by=/k.gpg] http://ftp.de.debian.org/debian/ stretch-updates main',
        'deb-src [arch=amd64] http://httpredir.debian.org/debian/ stretch main contrib',
        'deb http://security.debian.org stretch/updates main',
        'deb http://security.debian.org/debian-security stretch/updates main',
        'deb http://snapshot.debian.org/archive/debian/20200101T000000Z stretch main',
        'deb https://packages.example.com/apt stretch-updates main',
        '',
      ].join('\n'),
    )
    const stanza = 'Types: deb\nURIs: http://deb.debian.org/debian\nSuites: buster buster-updates\nComponents: main\n'
    writeFileSync(join(folder, 'sources.list.d/debian.sources'), stanza)
    execFileSync('sh', ['-c', `set -eu\n${DEBIAN_ARCHIVE.script}\nuse_archive "$1"`, 'x', folder])
    expect(readFileSync(join(folder, 'sources.list'), 'utf8').split('\n')).toEqual([
      '# deb http://deb.debian.org/debian stretch main',
      'deb [check-valid-until=no] http://archive.debian.org/debian stretch main',
      '# deb [signed-by=/k.gpg] http://archive.debian.org/debian stretch-updates main',
      'deb-src [check-valid-until=no arch=amd64] http://archive.debian.org/debian stretch main contrib',
      'deb [check-valid-until=no] http://archive.debian.org/debian-security stretch/updates main',
      'deb [check-valid-until=no] http://archive.debian.org/debian-security stretch/updates main',
      'deb http://snapshot.debian.org/archive/debian/20200101T000000Z stretch main',
      'deb https://packages.example.com/apt stretch-updates main',
      '',
    ])
    expect(readFileSync(join(folder, 'sources.list.d/debian.sources'), 'utf8')).toBe(
      'Types: deb\nURIs: http://archive.debian.org/debian\nCheck-Valid-Until: no\nSuites: buster\nComponents: main\n',
    )
  })
})
