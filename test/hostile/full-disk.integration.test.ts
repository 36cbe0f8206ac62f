import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'
import { debian12 } from '../support/debian.js'

const isRoot = process.getuid?.() === 0
if (!isRoot) console.warn('skipped: no space left on the target or the cache (a small file system is mounted as root)')

describe.skipIf(!isRoot)('no space left', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-full-'))
    await mkdir(join(folder, 'small'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** Runs with `small` being a file system of 64 MiB, in a mount namespace of its own; afterwards lists what is in it. */
  const withSmall = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const script = `mount -t tmpfs -o size=64m,mode=0755 none "$0"; "$@"; status=$?; find "$0" -type f; exit $status`
    const prefix = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, join(folder, 'small')]
    return c2m(args, { prefix, env })
  }

  it.each(['disk.img', 'disk.qcow2'])('on the target: %s', async (name) => {
    const disk = join(folder, 'small', name)
    const { code, stdout, stderr } = await withSmall(['container2vm', `oci:${await debian12()}`, '-o', disk])
    expect(stderr).toContain('no space left')
    expect(code).toBe(1)
    expect(stdout).toBe('')
  })

  it('in the cache', async () => {
    const disk = join(folder, 'disk.img')
    const env = { C2M_CACHE_DIR: join(folder, 'small') }
    const { code, stderr } = await withSmall(['container2vm', `oci:${await debian12()}`, '-o', disk], env)
    expect(stderr).toMatch(/space/)
    expect(stderr).toContain('C2M_CACHE_DIR')
    expect(code).toBe(1)
    expect((await readdir(folder)).sort()).toEqual(['small'])
  })
})
