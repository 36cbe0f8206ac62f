import { silentReporter } from '@c2m/process'
import { describe, expect, it } from 'vitest'
import { TarDiagnostics, tarArguments } from './gnu-tar.js'

describe('TarDiagnostics', () => {
  it('sorts what GNU tar says by what it means', () => {
    const said = new TarDiagnostics()
    const lines = [
      'tar: ./var/log/syslog: file changed as we read it',
      'tar: ./tmp/gone: File removed before we read it',
      'tar: ./a\\: B: File shrank by 3 bytes; padding with zeros',
      '/usr/bin/gtar: ./etc/shadow: Cannot open: Permission denied',
      'tar: ./x: Read error at byte 0, while reading 512 bytes: Input/output error',
      'tar: ./run/sock: socket ignored',
      'tar: Exiting with failure status due to previous errors',
      'sudo: unable to resolve host old',
      'tar: something new',
    ]
    lines.forEach(said.take)
    expect(said.changed.map((line) => line.replace(/: [fF]ile .*/, ''))).toEqual([
      '/var/log/syslog',
      '/tmp/gone',
      '/a\\: B',
    ])
    expect(said.failed).toEqual([
      '/etc/shadow: Cannot open: Permission denied',
      '/x: Read error at byte 0, while reading 512 bytes: Input/output error',
    ])
    expect(said.other).toEqual(['sudo: unable to resolve host old', 'something new'])
    const warnings: string[] = []
    said.report({ ...silentReporter, warn: (message) => warnings.push(message) })
    expect(warnings).toHaveLength(3)
  })

  it('names the first of many, and how many more', () => {
    const said = new TarDiagnostics()
    for (let index = 0; index < 5000; index++) said.take(`tar: ./${index}: Cannot open: Permission denied`)
    expect(said.failure('C2M_X', 'server', 'hint').message.split('\n').at(-1)).toBe('  and 4995 more')
  })
})

it('leaves the kernel’s own folders out when all file systems are taken', () => {
  expect(tarArguments({ folder: '/', allFilesystems: true })).not.toContain('--one-file-system')
  expect(tarArguments({ folder: '/', allFilesystems: true })).toContain('--exclude=./proc/*')
})
