import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { findOsRelease, findSecrets } from '@c2m/linux'
import type { MachineFindings, Rootfs } from '@c2m/plugin-api'
import { cleanRootfs, indexLayer, mergeLayers } from '@c2m/rootfs'
import { debianImage } from '@c2m/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { debian } from '../testing/task.js'

const command = promisify(execFile)
const FIXTURE = fileURLToPath(new URL('../../../../.work/fixtures/debian-12-services', import.meta.url))
const PACKAGES = ['systemd-sysv', 'nginx-light', 'redis-server', 'openssh-server', 'cron']

const missing = ['mmdebstrap', 'systemctl'].filter((tool) => !existsSync(`/usr/bin/${tool}`))
if (missing.length > 0) console.warn(`skipped: ${missing.join(', ')} missing (apt-get install mmdebstrap systemd)`)

describe.skipIf(missing.length > 0)('a real Debian machine', () => {
  let scratch: string
  let rootfs: Rootfs
  let findings: MachineFindings
  const warnings: string[] = []

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'c2m-debian-'))
    await mkdir(join(FIXTURE, '..'), { recursive: true })
    const layout = await debianImage(FIXTURE, { suite: 'bookworm', created: 1_760_000_000, include: PACKAGES })
    const blob = async (digest: string) => join(layout, 'blobs', ...digest.split(':'))
    const json = async (path: string) =>
      JSON.parse(await readFile(path, 'utf8')) as Record<string, { digest: string }[]>
    const [manifest] = (await json(join(layout, 'index.json')))['manifests'] ?? []
    const [layer] = (await json(await blob(manifest?.digest ?? '')))['layers'] ?? []
    const tar = join(scratch, 'root.tar')
    await pipeline(createReadStream(await blob(layer?.digest ?? '')), createGunzip(), createWriteStream(tar))
    rootfs = await mergeLayers([await indexLayer(tar)])
    const os = await findOsRelease(rootfs)
    const match = os === undefined ? undefined : await debian.detect(os, rootfs)
    if (match === undefined || debian.toImage === undefined) throw new Error('not detected')
    const task = { match, architecture: 'amd64', rootfs, warn: (message: string) => warnings.push(message) }
    findings = await debian.toImage(task)
  })

  afterAll(async () => {
    await rootfs?.[Symbol.asyncDispose]()
    await rm(scratch, { recursive: true, force: true })
  })

  it('starts all that systemctl calls enabled', async () => {
    const folder = join(scratch, 'tree')
    await mkdir(folder)
    // units, their links and the scripts are all that systemctl looks at
    await command('tar', [
      '-C',
      folder,
      '-xf',
      join(scratch, 'root.tar'),
      './etc/systemd',
      './usr/lib/systemd',
      './lib',
    ])
    const { stdout } = await command('systemctl', [
      ...[`--root=${folder}`, 'list-unit-files', '--type=service', '--state=enabled', '--no-legend', '--no-pager'],
    ])
    const enabled = stdout.split('\n').flatMap((line) => /^(\S+)\s/.exec(line)?.[1] ?? [])
    const found = new Set(findings.services.map(({ name }) => name.replace(/@.*\./, '@.')))
    expect(enabled.length).toBeGreaterThan(4)
    expect(enabled.filter((name) => !found.has(name))).toEqual([])
    const applications = findings.services.filter(({ role }) => role === 'application')
    expect(applications.map(({ name, ports, volumes }) => [name, ports, volumes])).toEqual([
      ['nginx.service', ['80/tcp'], []],
      ['redis-server.service', ['6379/tcp'], ['/var/lib/redis']],
    ])
    expect(warnings).toEqual([
      expect.stringMatching(/^redis-server.service listens on 6379\/tcp for its own machine only/),
    ])
  })

  it('runs each service in the foreground', async () => {
    const process = async (name: string) => (await findings.service(name)).entrypoint
    expect(await process('nginx')).toEqual(['/usr/sbin/nginx', '-g', 'daemon off;'])
    expect(await process('cron.service')).toEqual(['/usr/sbin/cron', '-f'])
    expect((await process('sshd')).slice(-3)).toEqual(['/usr/sbin/sshd', '-D', '-e'])
    expect(await findings.service('redis')).toMatchObject({
      entrypoint: ['/usr/bin/redis-server', '/etc/redis/redis.conf', '--daemonize', 'no'],
      user: 'redis',
      directories: [{ path: '/run/redis', mode: 0o2755 }],
    })
    expect(findings.inits).toMatchObject([{ id: 'systemd', process: { entrypoint: ['/sbin/init'] } }])
  })

  it('knows exactly the files of packages, and cleaning takes none of them', async () => {
    const files = await findings.packageFiles()
    const { rootfs: cleaned, results } = await cleanRootfs(rootfs, findings.cleaning)
    const lost: string[] = []
    for (const path of files) {
      expect(await rootfs.stat(path)).toBeDefined()
      if ((await cleaned.stat(path)) === undefined) lost.push(path)
    }
    expect(files.size).toBeGreaterThan(5000)
    expect(lost).toEqual([])
    const removed = new Set(results.filter(({ removed }) => removed > 0).map(({ id }) => id))
    for (const id of ['ssh-host-keys', 'network', 'backups', 'runtime', 'package-caches']) expect(removed).toContain(id)
    expect(await cleaned.stat('var/lib/dpkg/status')).toBeDefined()
  })

  it('has the secrets that it has', async () => {
    const found: string[] = []
    for await (const { path, kind } of findSecrets(rootfs)) found.push(`${path}: ${kind}`)
    expect(found.filter((line) => !line.startsWith('etc/ssh/ssh_host_'))).toEqual([])
    expect(found.length).toBeGreaterThan(2)
  })
})
