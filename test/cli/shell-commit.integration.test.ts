import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { access, chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ShellResult } from '@c2m/core'
import { findTool, run } from '@c2m/process'
import { startDockerDaemon, startDockerRegistry, writeOciLayout } from '@c2m/testkit'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { busyboxImage, missingForBusybox } from '../support/busybox.js'
import { c2m, c2mOk } from '../support/cli.js'

const missing = missingForBusybox()
if (missing !== undefined) console.warn(`SKIPPED: commits of c2m shell need ${missing}`)
const lacking = (await Promise.all(['umoci', 'skopeo'].map(findTool))).includes(undefined)
if (lacking) console.warn('SKIPPED: judges of c2m shell --commit: apt-get install umoci skopeo')
const lacksRegistry = (await Promise.all(['docker-registry', 'htpasswd'].map(findTool))).includes(undefined)
if (lacksRegistry)
  console.warn('SKIPPED: c2m shell --commit to a registry: apt-get install docker-registry apache2-utils')
const isRoot = process.getuid?.() === 0
const hasDocker = isRoot && (await findTool('dockerd')) !== undefined
if (!hasDocker) console.warn('SKIPPED: docker load of what c2m shell committed: root, and apt-get install docker.io')

/** An image over BusyBox's with what is hard: owners above the sandbox's, devices, attributes, and something to delete. */
async function hardImage(folder: string): Promise<string> {
  const archive = join(folder, 'busybox.tar')
  await run('skopeo', ['copy', '--quiet', `oci:${busyboxImage('musl')}`, `docker-archive:${archive}:busybox:base`])
  await run('tar', ['-C', folder, '-xf', archive])
  const base = (await readdir(folder)).find((name) => /^[0-9a-f]{64}\.tar$/.test(name)) ?? ''
  // made of a description, so that nobody has to own such files
  const python = `
import io, sys, tarfile
with tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT) as tar:
    def add(name, data=b'', **more):
        member = tarfile.TarInfo(name)
        member.mtime, member.size, member.mode = 1600000000, len(data), 0o644
        for key, value in more.items():
            setattr(member, key, value)
        tar.addfile(member, io.BytesIO(data))
    for name in ('opt', 'opt/doc', 'opt/replaced', 'srv', 'dev2'):
        add(name, type=tarfile.DIRTYPE, mode=0o755)
    add('opt/doc/big', bytes(4 << 20))
    add('opt/replaced/old', b'old')
    add('opt/single', b'x')
    add('srv/far', b'far', uid=200000, gid=200001)
    add('srv/capable', b'x', mode=0o755, pax_headers={'SCHILY.xattr.security.capability': '\\x01\\x00\\x00\\x02\\x00\\x20' + '\\x00' * 14})
    add('dev2/disk', type=tarfile.BLKTYPE, mode=0o660, devmajor=8, devminor=1, gid=6)
`
  const layer = join(folder, 'hard.tar')
  execFileSync('python3', ['-c', python, layer])
  const config = {
    Cmd: ['sh'],
    Env: ['PATH=/bin', 'MINE=1'],
    Volumes: { '/data': {} },
    Healthcheck: { Test: ['NONE'] },
  }
  const image = join(folder, 'hard')
  const layers = [join(folder, base), layer]
  await writeOciLayout(image, { layers, architecture: 'amd64', tag: 'hard', created: 1_700_000_000, config })
  return `oci:${image}:hard`
}

describe.skipIf(missing !== undefined || lacking)('c2m shell --commit', () => {
  let folder = ''
  let image = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-commit-'))
    image = await hardImage(folder)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const CHANGES = [
    'rm -r /opt/doc /opt/single',
    'rm -r /opt/replaced; mkdir /opt/replaced; echo new > /opt/replaced/new',
    'echo added > /etc/added; chmod 600 /srv/far; mkdir /tmp/kept; ln /etc/added /etc/linked',
  ].join('; ')
  const commit = async (destination: string, flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}) => {
    const argv = ['shell', image, '--json', '--commit', destination, ...flags, '--', 'sh', '-c', CHANGES]
    return JSON.parse((await c2mOk(argv, { cwd: folder, env })).stdout) as ShellResult
  }
  /** What the layer at the end of a layout's image holds. */
  const topLayer = async (layout: string, ref: string) => {
    const at = (digest: string) => join(layout, 'blobs', ...digest.split(':'))
    const json = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
    const index = (await json(join(layout, 'index.json'))) as { manifests: { digest: string; annotations?: object }[] }
    const found = index.manifests.find(({ annotations }) => Object.values(annotations ?? {}).includes(ref))
    const manifest = (await json(at(found?.digest ?? ''))) as { layers: { digest: string }[] }
    const list = await run('tar', ['--numeric-owner', '-tvzf', at(manifest.layers.at(-1)?.digest ?? '')])
    return list.stdout
      .trimEnd()
      .split('\n')
      .sort((a, b) => (a.slice(48) < b.slice(48) ? -1 : 1))
  }

  it('adds one layer with whiteouts, opaque directories and the base’s metadata, and keeps the configuration', async () => {
    const { committed, exitCode } = await commit('oci:new:added')
    expect(exitCode).toBe(0)
    expect(committed?.layers).toHaveLength(3)
    const lines = await topLayer(join(folder, 'new'), 'added')
    const names = lines.map((line) => line.split(/\s+/).slice(5).join(' '))
    expect(names.sort()).toEqual(
      [
        'etc/added',
        'etc/linked link to etc/added',
        'opt/.wh.doc',
        'opt/.wh.single',
        'opt/replaced/',
        'opt/replaced/.wh..wh..opq',
        'opt/replaced/new',
        'srv/far',
        'tmp/kept/',
      ].sort(),
    )
    expect(lines.find((line) => line.endsWith('srv/far'))).toMatch(/^-rw------- 200000\/200001 /)
    const config = JSON.parse(
      (await run('skopeo', ['inspect', '--raw', '--config', `oci:${join(folder, 'new')}:added`])).stdout,
    ) as {
      config: object
      history: { created_by: string }[]
    }
    expect(config.config).toMatchObject({ Cmd: ['sh'], Env: ['PATH=/bin', 'MINE=1'], Healthcheck: { Test: ['NONE'] } })
    expect(config.config).toMatchObject({ Volumes: { '/data': {} } })
    expect(config.history.at(-1)?.created_by).toMatch(/^c2m shell: sh -c rm -r/)
    expect(config.history).toHaveLength(3)
  })

  it.skipIf(!isRoot)('unpacks, by umoci, to what the command left', async () => {
    const bundle = join(folder, 'bundle')
    await run('umoci', ['unpack', '--image', `${join(folder, 'new')}:added`, bundle])
    const root = join(bundle, 'rootfs')
    expect(await readdir(join(root, 'opt'))).toEqual(['replaced'])
    expect(await readdir(join(root, 'opt/replaced'))).toEqual(['new'])
    const far = await stat(join(root, 'srv/far'))
    expect([far.uid, far.gid, far.mode & 0o777]).toEqual([200000, 200001, 0o600])
    expect((await stat(join(root, 'dev2/disk'))).isBlockDevice()).toBe(true)
    expect((await stat(join(root, 'etc/linked'))).nlink).toBe(2)
  })

  it('squashes to one smaller layer with everything that is left', async () => {
    const { committed } = await commit('oci:new:squashed', ['--squash'])
    expect(committed?.layers).toHaveLength(1)
    const { before, after, directories } = committed!
    expect(before.bytes - after.bytes).toBeGreaterThan(4_000_000)
    expect(before.layerBytes - after.layerBytes).toBeGreaterThan(4_000_000)
    expect(directories[0]?.path).toBe('bin')
    const lines = await topLayer(join(folder, 'new'), 'squashed')
    expect(lines.filter((line) => line.includes('.wh.'))).toEqual([])
    expect(lines.some((line) => /^brw-rw---- 0\/6 +8,1 .* dev2\/disk$/.test(line))).toBe(true)
    expect(lines.some((line) => /^-rw------- 200000\/200001 .* srv\/far$/.test(line))).toBe(true)
    const { stdout } = await run('skopeo', ['inspect', '--raw', '--config', `oci:${join(folder, 'new')}:squashed`])
    const { history } = JSON.parse(stdout) as { history: { empty_layer?: boolean }[] }
    expect(history.filter(({ empty_layer }) => empty_layer !== true)).toHaveLength(1)
    const added = await c2mOk(['shell', image, '--commit', 'oci:new:again', '--', 'rm', '-r', '/opt/doc'], {
      cwd: folder,
    })
    expect(added.stderr).toContain('--squash makes one layer without it')
    expect(added.stderr).toMatch(/files: +5\.\d MiB → 1\.\d MiB/)
  })

  it('is the next one’s base', async () => {
    const next = [
      'shell',
      'oci:new:added',
      '--commit',
      'oci:new:next',
      '--',
      'sh',
      '-c',
      'cat /etc/linked; rm /etc/added',
    ]
    expect((await c2mOk(next, { cwd: folder })).stdout).toBe('added\n')
    const look = await c2mOk(['shell', 'oci:new:next', '--', 'sh', '-c', 'ls /etc/added; cat /etc/linked'], {
      cwd: folder,
    })
    expect(look).toMatchObject({ stdout: 'added\n' })
  })

  it('leaves no trace of its own mount points', async () => {
    await mkdir(join(folder, 'empty'), { recursive: true })
    const volumes = ['-v', './empty:/mnt/point', '-v', './busybox.tar:/mnt/file']
    const argv = ['shell', image, ...volumes, '--commit', 'oci:new:points', '--', 'ls', '/mnt/point', '/mnt/file']
    await c2mOk(argv, { cwd: folder })
    const lines = (await topLayer(join(folder, 'new'), 'points')).join('\n')
    expect(lines).not.toMatch(/mnt|proc|sys/)
  })

  it('writes nothing when the command fails, and replaces nothing without --force', async () => {
    const failed = await c2m(['shell', image, '--commit', 'docker-archive:failed.tar', '--', 'false'], { cwd: folder })
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain('nothing was written')
    expect(existsSync(join(folder, 'failed.tar'))).toBe(false)
    const argv = ['shell', image, '--commit', 'docker-archive:busybox.tar', '--', 'touch', '/x']
    const exists = await c2m(argv, { cwd: folder })
    expect(exists).toMatchObject({ code: 2 })
    expect(exists.stderr).toContain('(C2M_OUTPUT_EXISTS)')
  })

  it('is written though the cache was pruned while the command ran', async () => {
    const env = { C2M_CACHE_DIR: join(folder, 'pruned') }
    await mkdir(join(folder, 'sign'))
    await chmod(join(folder, 'sign'), 0o777)
    const wait = 'touch /sign/runs; until [ -e /sign/pruned ]; do sleep 0.1; done; echo x > /etc/added'
    const argv = ['shell', image, '-v', './sign:/sign', '--commit', 'oci:new:pruned', '--', 'sh', '-c', wait]
    const running = c2m(argv, { cwd: folder, env })
    await vi.waitFor(() => access(join(folder, 'sign', 'runs')), { timeout: 60_000 })
    await c2mOk(['cache', 'prune'], { env })
    await writeFile(join(folder, 'sign', 'pruned'), '')
    expect(await running).toMatchObject({ code: 0 })
  })

  it('keeps the changes when the image cannot be written in the end', async () => {
    const inner = join(folder, 'lent', 'inner')
    await mkdir(inner, { recursive: true })
    await chmod(join(folder, 'lent'), 0o777)
    const cache = join(folder, 'cache')
    const argv = ['shell', image, '-v', './lent:/lent', '--commit', `docker-archive:${inner}/x.tar`]
    const env = { C2M_CACHE_DIR: cache }
    const failed = await c2m([...argv, '--', 'sh', '-c', `rmdir /lent/inner; ${CHANGES}`], { cwd: folder, env })
    expect(failed).toMatchObject({ code: 1 })
    expect(failed.stderr).toContain('(C2M_FILE_ENOENT)')
    const kept = /kept as an OCI layer.*: (.*\.tar)$/m.exec(failed.stderr)?.[1] ?? ''
    expect(kept).toContain(cache)
    expect(execFileSync('tar', ['-tf', kept], { encoding: 'utf8' })).toMatch(/^etc\/added$/m)
    await c2mOk(['cache', 'prune'], { env })
    expect(existsSync(kept)).toBe(false)
  })

  it.skipIf(!hasDocker)('gives Docker an image that it loads and runs', async () => {
    await using daemon = await startDockerDaemon()
    for (const flags of [[], ['--squash']]) {
      await commit('docker-archive:shell.tar:shell:test', ['--force', ...flags])
      expect(await daemon.docker('load', '-i', join(folder, 'shell.tar'))).toContain('shell:test')
      const script = 'cat /etc/added; ls /opt /opt/replaced; echo $MINE; stat -c %u:%g:%a /srv/far'
      const output = await daemon.docker('run', '--rm', '--network', 'none', 'shell:test', 'sh', '-c', script)
      expect(output.split('\n')).toEqual([
        ...['added', '/opt:', 'replaced', '', '/opt/replaced:', 'new', '1', '200000:200001:600', ''],
      ])
    }
    await commit('docker-daemon:shell:direct', [], daemon.env)
    const output = await daemon.docker('run', '--rm', '--network', 'none', 'shell:direct', 'cat', '/etc/added')
    expect(output).toBe('added\n')
  })

  it.skipIf(lacksRegistry)('gives a registry and an archive what skopeo reads', async () => {
    await using registry = await startDockerRegistry('me:correct-horse')
    const name = `docker://${registry.host}/team/changed:1`
    const pushed = await commit(name, [], { DOCKER_CONFIG: registry.login })
    const archived = await commit('oci-archive:changed.tar')
    const authfile = ['--tls-verify=false', '--authfile', join(registry.login, 'config.json')]
    for (const [reference, { committed }, ...flags] of [
      [name, pushed, ...authfile],
      [`oci-archive:${join(folder, 'changed.tar')}`, archived],
    ] as const) {
      const { stdout } = await run('skopeo', ['inspect', ...flags, reference])
      const { Digest, Layers } = JSON.parse(stdout) as { Digest: string; Layers: string[] }
      expect(Digest).toBe(committed?.manifestDigest)
      expect(Layers).toEqual(committed?.layers.map(({ digest }) => digest))
      expect(Layers).toHaveLength(3)
    }
  })
})
