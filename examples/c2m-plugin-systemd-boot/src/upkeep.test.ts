import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entryText } from './entry.js'
import { updaterText } from './upkeep.js'

const TITLE = "The user's Linux $(1) \\n"
const OPTIONS = 'root=PARTUUID=x ro console=ttyS0'

let folder = ''
const at = (path: string) => join(folder, path)
const read = (path: string) => readFileSync(at(path), 'utf8')

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'c2m-upkeep-'))
  for (const name of ['esp/loader/entries', 'boot']) mkdirSync(at(name), { recursive: true })
  writeFileSync(at('cmdline'), `${OPTIONS}\n`)
})
afterEach(() => rmSync(folder, { recursive: true }))

function update(): void {
  const paths = { esp: at('esp'), kernels: at('boot'), commandLine: at('cmdline') }
  execFileSync('sh', ['-c', updaterText({ ...paths, token: 'example', title: TITLE })], { stdio: 'pipe' })
  if (existsSync(at('esp/loader'))) expect(readdirSync(at('esp/loader'))).toEqual(['entries'])
}

function install(version: string, initrd = 'initrd.img'): void {
  writeFileSync(at(`boot/vmlinuz-${version}`), `kernel ${version}`)
  if (initrd !== '') writeFileSync(at(`boot/${initrd}-${version}`), `initrd ${version}`)
}

describe('the updater', () => {
  it('writes the entries that c2m would have written, and copies the kernels', () => {
    install('6.1.0-9-amd64')
    install('lts', 'initramfs')
    install('5.10', '')
    update()
    expect(readdirSync(at('esp/loader/entries'))).toEqual([
      ...['example-5.10.conf', 'example-6.1.0-9-amd64.conf', 'example-lts.conf'],
    ])
    const entry = { token: 'example', title: TITLE, options: OPTIONS, hasInitrd: true }
    expect(read('esp/loader/entries/example-lts.conf')).toBe(entryText({ ...entry, version: 'lts' }))
    expect(read('esp/loader/entries/example-5.10.conf')).toBe(
      entryText({ ...entry, version: '5.10', hasInitrd: false }),
    )
    expect(read('esp/example/6.1.0-9-amd64/linux')).toBe('kernel 6.1.0-9-amd64')
    expect(read('esp/example/lts/initrd')).toBe('initrd lts')
  })

  it('follows an initrd that was made anew, and a kernel that went', () => {
    install('1')
    install('2')
    update()
    writeFileSync(at('boot/initrd.img-2'), 'another')
    for (const name of ['vmlinuz-1', 'initrd.img-1']) rmSync(at(`boot/${name}`))
    writeFileSync(at('esp/loader/entries/mine.conf'), 'title Mine\n')
    update()
    expect(read('esp/example/2/initrd')).toBe('another')
    expect(readdirSync(at('esp/example'))).toEqual(['2'])
    expect(readdirSync(at('esp/loader/entries'))).toEqual(['example-2.conf', 'mine.conf'])
  })

  it('passes over what is no kernel, and keeps all when none is left', () => {
    install('1')
    for (const name of ['vmlinuz-1.old', 'vmlinuz-2.dpkg-tmp', 'vmlinuz-3 4', "vmlinuz-5';x"])
      writeFileSync(at(`boot/${name}`), 'x')
    writeFileSync(at('boot/vmlinuz-9'), '')
    update()
    expect(readdirSync(at('esp/example'))).toEqual(['1'])
    rmSync(at('boot'), { recursive: true })
    mkdirSync(at('boot'))
    update()
    expect(readdirSync(at('esp/example'))).toEqual(['1'])
  })

  it('leaves everything alone while the partition is not mounted', () => {
    install('1')
    rmSync(at('esp'), { recursive: true })
    mkdirSync(at('esp'))
    update()
    expect(readdirSync(at('esp'))).toEqual([])
  })
})
