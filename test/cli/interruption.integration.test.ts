import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'
import { debian12 } from '../support/debian.js'

describe('Ctrl-C', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-interrupt-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each(['install', 'configure', 'assemble', 'write qcow2'])('during "%s" leaves nothing behind', async (stage) => {
    const image = `oci:${await debian12()}`
    const mountsBefore = await readFile('/proc/self/mountinfo', 'utf8')
    let sent = false
    const flags = stage === 'install' ? ['--refresh'] : []
    const result = await c2m(['container2vm', image, '-o', join(folder, 'disk.qcow2'), '--json', ...flags], {
      onStderr: (text, kill) => {
        if (sent || !text.includes(`"event":"stage","title":"${stage}`)) return
        sent = true
        setTimeout(() => kill('SIGINT'), stage === 'install' ? 1500 : 50)
      },
    })
    expect(sent).toBe(true)
    expect(result.code).toBe(130)
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: 'C2M_INTERRUPTED' } })
    expect(await readdir(folder)).toEqual([])
    expect(await readFile('/proc/self/mountinfo', 'utf8')).toBe(mountsBefore)
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    expect(processes).not.toContain('c2m-interrupt-')
    expect(processes).not.toMatch(/apt-get .*install/)
  })
})
