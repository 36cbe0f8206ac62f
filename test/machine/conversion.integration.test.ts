import { execFileSync } from 'node:child_process'
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'
import { asOrdinaryUser, CHECKOUT } from '../support/ordinary-user.js'
import { tarDigest } from './support/convert.js'
import { lacks, shell, tool } from './support/tools.js'
import { servicesDisk, stateOf } from './support/tree.js'

const missing = lacks('a conversion that is watched', { 'qemu-img': 'qemu-utils', mke2fs: 'e2fsprogs' }, 'root')

describe.skipIf(missing)('vm2container of a vdi', () => {
  let folder = ''
  let disk = ''
  let state = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-watched-'))
    await chmod(folder, 0o755)
    disk = join(folder, 'server.vdi')
    await tool('qemu-img', ['convert', '-f', 'raw', '-O', 'vdi', await servicesDisk(), disk])
    state = await stateOf(disk)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** Files below a folder of c2m's cache. */
  const left = async (cache: string) => (await shell('find "$1" -type f -o -type s', cache)).split('\n').filter(Boolean)

  it.each([
    ['read ', 0, 'tarball:out/x.tar'],
    ['find what stays behind', 50, 'tarball:out/x.tar'],
    ['write ', 30, 'tarball:out/x.tar'],
    ['write ', 400, 'docker-archive:out/x.tar'],
    ['write ', 400, 'oci:out/layout'],
    ['write ', 400, 'oci-archive:out/x.tar'],
    ['write ', 400, 'dockerfile:out/build'],
    ['write ', 400, 'docker-archive:-'],
  ])('interrupted in "%s" after %s ms, leaves nothing of %s', async (stage, delay, output) => {
    const own = await mkdtemp(join(folder, 'interrupted-'))
    await mkdir(join(own, 'out'))
    let sent = false
    const args = ['vm2container', disk, '-o', output, '--json', '--compress', 'none']
    const result = await c2m(args, {
      cwd: own,
      env: { C2M_CACHE_DIR: join(own, 'cache') },
      onStderr: (text, kill) => {
        if (sent || !text.includes(`"event":"stage","title":"${stage}`)) return
        sent = true
        setTimeout(() => kill('SIGINT'), delay)
      },
    })
    expect(sent).toBe(true)
    expect(result.code).toBe(130)
    // what is said goes beside an image on standard output
    const said = output.endsWith(':-') ? (result.stderr.trim().split('\n').at(-1) ?? '') : result.stdout
    expect(JSON.parse(said)).toMatchObject({ error: { code: 'C2M_INTERRUPTED' } })
    expect(await readdir(join(own, 'out'))).toEqual([])
    expect(await left(own)).toEqual([])
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(own)
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(disk)
    await rm(own, { recursive: true })
  })

  it('is done whole by a user without any right or /dev/fuse', async () => {
    const home = join(folder, 'home')
    await mkdir(home)
    await cp(disk, join(home, 'server.vdi'))
    await chmod(join(home, 'server.vdi'), 0o444)
    await mkdir(join(home, 'locked'), { mode: 0o755 })
    const user = await asOrdinaryUser(home)
    const bare = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c']
    // an empty file hides the device, for this process and its children only
    const hide = 'touch "$0/none"; if [ -e /dev/fuse ]; then mount --bind "$0/none" /dev/fuse; fi; exec "$@"'
    const run = async (...args: readonly string[]) => {
      const words = [...user, process.execPath, `${CHECKOUT}packages/cli/bin/run.js`, 'vm2container', ...args]
      const [program = '', ...rest] = [...bare, hide, folder, ...words]
      return tool(program, rest, { C2M_CACHE_DIR: join(home, 'cache') })
    }
    const printed = await run(join(home, 'server.vdi'), '-o', `tarball:${join(home, 'out.tar')}`, '--json')
    const { layers } = JSON.parse(printed) as { layers: { diffId: string }[] }
    expect(layers[0]!.diffId).toBe(await tarDigest([disk]))
    const { uid } = await stat(join(home, 'out.tar'))
    expect(uid).toBe((await stat(home)).uid)
    expect(uid).not.toBe(0)
    await rm(join(home, 'out.tar'))
    await chown(join(home, 'locked'), 0, 0)
    await expect(run(join(home, 'server.vdi'), '-o', `tarball:${join(home, 'locked', 'x.tar')}`)).rejects.toThrow(
      /cannot write .*locked\/x.tar: permission denied[^]*\(C2M_FILE_EACCES\)/,
    )
    await chmod(join(home, 'server.vdi'), 0)
    await expect(run(join(home, 'server.vdi'), '--dry-run')).rejects.toThrow(
      /cannot .*server.vdi: permission denied[^]*\(C2M_FILE_EACCES\)/,
    )
    expect(await left(join(home, 'cache', 'temporary'))).toEqual([])
  })

  it('never wrote to the disk', async () => {
    expect(await stateOf(disk)).toBe(state)
  })
})
