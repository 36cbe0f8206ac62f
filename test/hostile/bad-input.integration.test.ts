import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { configurationWith } from '../support/examples.js'
import { isRoot } from '../support/ordinary-user.js'

describe('bad input to container2vm', () => {
  let folder = ''
  let image = ''
  let withLoader = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-bad-'))
    image = `oci:${await debian12()}`
    await mkdir(join(folder, 'empty'))
    await mkdir(join(folder, 'root/bin'), { recursive: true })
    await writeFile(join(folder, 'root/bin/tool'), 'nothing that says what it is')
    await writeFile(join(folder, 'there.img'), 'precious')
    await writeFile(join(folder, 'key'), '-----BEGIN OPENSSH PRIVATE KEY-----\n')
    await writeFile(join(folder, 'not-a-key.pub'), 'hello\n')
    withLoader = await configurationWith(folder, ['c2m-plugin-systemd-boot'])
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const at = (name: string) => join(folder, name)

  async function refused(args: readonly string[], exitCode: number, code: string, env?: NodeJS.ProcessEnv) {
    const before = (await readdir(folder)).sort()
    const result = await c2m(['container2vm', ...args], { env })
    expect(result.stderr).toContain(code)
    expect(result.code).toBe(exitCode)
    expect(result.stderr).not.toMatch(/\n\s+at /) // a trace is for developers
    expect((await readdir(folder)).sort()).toEqual(before)
    return result.stderr
  }

  it('an unknown flag', async () => {
    const { code, stderr } = await c2m(['container2vm', image, '--nonsense'])
    expect(code).toBe(2)
    expect(stderr).toContain('--nonsense')
  })
  it('no image', async () => {
    expect((await c2m(['container2vm'])).code).toBe(2)
  })
  it('contradicting password flags', async () => {
    const { code } = await c2m([
      'container2vm',
      image,
      '--root-password',
      'x',
      '--root-password-hash',
      '$6$abc$defdefdef',
    ])
    expect(code).toBe(2)
  })
  it('a size that is none', () => refused([image, '-o', at('x.img'), '--size', 'huge'], 2, 'C2M_SIZE'))
  it('an extension that names no format', () => refused([image, '-o', at('x.iso')], 2, 'C2M_FORMAT'))
  it('a host name that is none', () => refused([image, '-o', at('x.img'), '--hostname', 'a b'], 2, 'C2M_HOSTNAME'))
  it('a network setting that is none', () => refused([image, '-o', at('x.img'), '--network', 'wifi'], 2, 'C2M_NETWORK'))
  it('a private key', () => refused([image, '-o', at('x.img'), '--ssh-key', at('key')], 2, 'C2M_SSH_KEY'))
  it('a file without a key', () =>
    refused([image, '-o', at('x.img'), '--ssh-key', at('not-a-key.pub')], 2, 'C2M_SSH_KEY'))
  it('a plain password as hash', () =>
    refused([image, '-o', at('x.img'), '--root-password-hash', 'hunter2'], 2, 'C2M_PASSWORD_HASH'))
  it('an output that exists', async () => {
    await refused([image, '-o', at('there.img')], 2, 'C2M_OUTPUT_EXISTS')
    expect(await readFile(at('there.img'), 'utf8')).toBe('precious')
  })
  it('an output folder that is not there', () => refused([image, '-o', at('no/x.img')], 1, 'no such file or directory'))
  it('an unknown boot loader', () =>
    refused([image, '-o', at('x.img'), '--bootloader', 'lilo'], 2, 'C2M_PLUGIN_UNKNOWN_ID'))
  it('a boot loader that cannot start under the firmware', async () => {
    const asked = ['--bootloader', 'extlinux', '--firmware', 'uefi']
    const said = await refused([image, '-o', at('x.img'), ...asked], 2, 'C2M_BOOTLOADER_UNSUPPORTED')
    expect(said).toContain('extlinux: it starts under bios only')
    expect(said).toMatch(/→ these can: --bootloader .*grub-efi/)
  })
  it('a boot loader that cannot boot the table', async () => {
    const asked = ['--bootloader', 'systemd-boot', '--partition-table', 'mbr', '--config', withLoader]
    const said = await refused([image, '-o', at('x.img'), ...asked], 2, 'C2M_BOOTLOADER_UNSUPPORTED')
    expect(said).toContain('systemd-boot: systemd-boot starts under UEFI from a GPT disk, not from MBR')
    expect(said).toMatch(/→ these can: --bootloader .*grub-pc/)
  })
  it('an unknown kernel flavour', () => refused([image, '-o', at('x.img'), '--kernel', 'vax'], 2, 'C2M_KERNEL_UNKNOWN'))
  it('a size that is too small', () => refused([image, '-o', at('x.img'), '--size', '100M'], 2, 'C2M_DISK_TOO_SMALL'))
  it('a missing layout', () => refused([`oci:${at('missing')}`, '-o', at('x.img')], 1, 'C2M_'))
  it('a folder that is no layout', () => refused([`oci:${at('empty')}`, '-o', at('x.img')], 1, 'C2M_'))
  it('an image without os-release', async () => {
    const said = await refused([`dir:${at('root')}`, '-o', at('x.img')], 1, 'C2M_DISTRO_UNKNOWN')
    expect(said).toMatch(/supported: .*debian/)
    expect(said).toContain('--distro')
  })
  it('a platform that is not there', () =>
    refused([image, '-o', at('x.img'), '--platform', 'linux/s390x'], 1, 'linux/amd64'))
  it('a layer whose bytes were changed', async () => {
    const bad = at('corrupt')
    await cp(image.slice('oci:'.length), bad, { recursive: true })
    const blobs = join(bad, 'blobs/sha256')
    for (const name of await readdir(blobs)) {
      const blob = await readFile(join(blobs, name))
      if (blob.length < 1_000_000) continue
      blob[blob.length >> 1] = (blob[blob.length >> 1] ?? 0) ^ 1
      await writeFile(join(blobs, name), blob)
    }
    // a cache of its own, since the good layer is in the tests' one
    await mkdir(at('cache'))
    await refused([`oci:${bad}`, '-o', at('x.img')], 1, 'C2M_IMAGE', { C2M_CACHE_DIR: at('cache') })
  })
  it('a package that does not exist', async () => {
    const said = await refused([image, '-o', at('x.img'), '--package', 'no-such-package-here'], 1, 'C2M_SANDBOX')
    expect(said).toContain('no-such-package-here')
  })
  it('a mirror that is down', async () => {
    await mkdir(at('no-mirror'))
    const nobody = 'http://127.0.0.1:9' // the discard port: nothing listens
    const env = { C2M_CACHE_DIR: at('no-mirror'), http_proxy: nobody, https_proxy: nobody }
    const said = await refused([image, '-o', at('x.img')], 1, 'C2M_SANDBOX_STEP_FAILED', env)
    expect(said).toMatch(/connect ECONNREFUSED 127\.0\.0\.1:9/)
    // unpacked files belong to subordinate ids: c2m's own command is what removes them
    expect((await c2m(['cache', 'prune'], { env })).code).toBe(0)
  })
  it('a folder that cannot be written to', async () => {
    await mkdir(at('read-only'))
    const args = ['container2vm', image, '-o', at('read-only/x.img')]
    const script = 'mount -t tmpfs -o ro,mode=0755 none "$0"; exec "$@"'
    const prefix = isRoot ? ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, at('read-only')] : []
    if (!isRoot) await chmod(at('read-only'), 0o555)
    const { code, stderr } = await c2m(args, { prefix })
    expect(stderr).toMatch(/C2M_FILE_(EROFS|EACCES)/)
    expect(stderr).toContain(at('read-only'))
    expect(code).toBe(1)
  })
  it('says what went wrong as JSON', async () => {
    const { code, stdout } = await c2m(['container2vm', image, '-o', at('there.img'), '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'C2M_OUTPUT_EXISTS' } })
  })
})
