import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { taskFor, ubuntu } from '../testing/task.js'
import { ARCHIVE } from './archive.js'

describe('the archive of old releases', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'c2m-ubuntu-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  it("takes the place of the mirrors, not of others' archives", () => {
    mkdirSync(join(folder, 'sources.list.d'))
    const esm =
      'Types: deb\nURIs: https://esm.ubuntu.com/infra/ubuntu\nSuites: jammy-infra-security\nComponents: main\n'
    writeFileSync(
      join(folder, 'sources.list'),
      [
        '# deb http://archive.ubuntu.com/ubuntu zesty main',
        'deb http://archive.ubuntu.com/ubuntu zesty main restricted',
        'deb [arch=amd64] http://de.archive.ubuntu.com/ubuntu/ zesty-updates main',
        'deb http://us-east-1.ec2.archive.ubuntu.com/ubuntu/ zesty main',
        'deb http://security.ubuntu.com/ubuntu zesty-security main',
        'deb http://ports.ubuntu.com/ubuntu-ports/ zesty main',
        'deb http://ppa.launchpad.net/x/y/ubuntu zesty main',
        'deb https://notarchive.ubuntu.com.example.org/ubuntu zesty main',
        '',
      ].join('\n'),
    )
    writeFileSync(join(folder, 'sources.list.d/ubuntu-esm-infra.sources'), esm)
    writeFileSync(
      join(folder, 'sources.list.d/ubuntu.sources'),
      'Types: deb\nURIs: http://archive.ubuntu.com/ubuntu/ http://security.ubuntu.com/ubuntu/\nSuites: oracular oracular-security\n',
    )
    execFileSync('sh', ['-c', `set -eu\n${ARCHIVE.script}\nuse_archive "$1"`, 'x', folder])
    const old = 'http://old-releases.ubuntu.com/ubuntu'
    expect(readFileSync(join(folder, 'sources.list'), 'utf8').split('\n')).toEqual([
      '# deb http://archive.ubuntu.com/ubuntu zesty main',
      `deb ${old} zesty main restricted`,
      `deb [arch=amd64] ${old} zesty-updates main`,
      `deb ${old} zesty main`,
      `deb ${old} zesty-security main`,
      `deb ${old} zesty main`,
      'deb http://ppa.launchpad.net/x/y/ubuntu zesty main',
      'deb https://notarchive.ubuntu.com.example.org/ubuntu zesty main',
      '',
    ])
    expect(readFileSync(join(folder, 'sources.list.d/ubuntu.sources'), 'utf8')).toBe(
      `Types: deb\nURIs: ${old} ${old}\nSuites: oracular oracular-security\n`,
    )
    expect(readFileSync(join(folder, 'sources.list.d/ubuntu-esm-infra.sources'), 'utf8')).toBe(esm)
  })

  it.each([
    ['23.10', 'yes'],
    ['25.10', 'perhaps'],
    ['18.04', 'no'],
  ])('is that of %s: %s', async (version, archived) => {
    const task = await taskFor(version)
    const steps = await ubuntu.install(['a'], task)
    expect(steps.find(({ id }) => id === 'ubuntu/install')).toMatchObject({ env: { C2M_ARCHIVE: archived } })
    expect(task.warnings.join().includes('old-releases.ubuntu.com')).toBe(archived === 'yes')
  })
})
