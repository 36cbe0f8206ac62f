import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openImage } from '@c2m/image'
import { archiveRootfs, compareRootfs, openDirectory, indexLayer } from '@c2m/rootfs'
import { startDockerRegistry, type DockerRegistry } from '@c2m/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m, c2mOk } from '../support/cli.js'
import { CACHE, WORK } from '../support/paths.js'
import { vm2container } from './support/convert.js'
import { lines } from './support/disk.js'
import { lacks, shell, tool } from './support/tools.js'
import { servicesDisk } from './support/tree.js'

const tools = {
  'docker-registry': 'docker-registry',
  htpasswd: 'apache2-utils',
  skopeo: 'skopeo',
  umoci: 'umoci',
  debugfs: 'e2fsprogs',
}
const missing = lacks('images of machines at a registry and in layouts', tools, 'root')
const PASSWORD = 'correct-horse'

interface Inspected {
  readonly Digest: string
  readonly Layers: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
}

describe.skipIf(missing)('images of machines at a registry and in layouts', () => {
  let folder = ''
  let disk = ''
  let tar = ''
  let diffId = ''
  let registry: DockerRegistry
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'registry-'))
    disk = await servicesDisk()
    tar = join(folder, 'plain.tar')
    const { result } = await vm2container([disk, '-o', `tarball:${tar}`])
    diffId = result.layers[0]!.diffId

    registry = await startDockerRegistry(`me:${PASSWORD}`)
  })
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('is pushed with a password, seen by skopeo, and pulled back', async () => {
    const { host, login } = registry
    const image = `docker://${host}/legacy/server:1`
    const refused = await c2m(['vm2container', disk, '-o', image, '-q'], { env: { DOCKER_CONFIG: folder } })
    expect(refused.stderr).toContain('C2M_REGISTRY')
    expect(refused.code).toBe(1)
    const env = { DOCKER_CONFIG: login }
    const { result, stderr } = await vm2container([disk, '-o', image, '--init', 'service=nginx.service'], { env })
    expect(stderr).not.toContain(PASSWORD)
    expect(result.runCommand).toBe(`docker run --rm -p 80:80/tcp ${host}/legacy/server:1`)

    const authfile = join(login, 'config.json')
    const seen = await tool('skopeo', ['inspect', '--tls-verify=false', '--authfile', authfile, image])
    const { Digest, Layers, Labels } = JSON.parse(seen) as Inspected
    expect(Digest).toBe(result.manifestDigest)
    expect(Layers).toEqual(result.layers.map(({ digest }) => digest))
    expect(Labels['org.opencontainers.image.title']).toBe('debian-12-services')

    const pulled = await c2mOk(['inspect', image, '--json'], { env: { REGISTRY_AUTH_FILE: authfile } })
    expect(JSON.parse(pulled.stdout)).toMatchObject({
      distro: { id: 'debian' },
      config: { entrypoint: ['/usr/sbin/nginx', '-g', 'daemon off;'], exposedPorts: ['80/tcp'] },
    })
  })

  it('an oci: layout is unpacked by umoci as the bare tar says', async () => {
    const layout = join(folder, 'layout')
    const { result } = await vm2container([disk, '-o', `oci:${layout}:old`, '--level', '1'])
    expect(result.layers[0]!.diffId).toBe(diffId)
    const bundle = join(folder, 'bundle')
    await tool('umoci', ['unpack', '--image', `${layout}:old`, bundle])
    await using packed = await archiveRootfs(await indexLayer(tar))
    await using unpacked = await openDirectory(join(bundle, 'rootfs'))
    expect(lines(await compareRootfs(packed, unpacked))).toEqual([])
    await rm(bundle, { recursive: true })
    await rm(layout, { recursive: true })
  })

  it.each([
    ['none', 'application/vnd.oci.image.layer.v1.tar', 'cat'],
    ['gzip', 'application/vnd.oci.image.layer.v1.tar+gzip', 'gzip -dc'],
    ['zstd', 'application/vnd.oci.image.layer.v1.tar+zstd', 'zstd -dc'],
  ])('--compress %s changes how a layer is kept, not what it is', async (compress, mediaType, unpack) => {
    const layout = join(folder, compress)
    const { result } = await vm2container([disk, '-o', `oci:${layout}`, '--compress', compress, '--level', '1'])
    const [layer] = result.layers
    expect(layer).toMatchObject({ diffId, mediaType })
    const sum = await shell(`${unpack} < "$1" | sha256sum`, join(layout, 'blobs', ...layer!.digest.split(':')))
    expect(sum.split(' ')[0]).toBe(diffId.slice('sha256:'.length))
    await rm(layout, { recursive: true })
  })

  it('--split-layers: both layers are the machine, and only the upper one changes with its configuration', async () => {
    const split = join(folder, 'split')
    const { result } = await vm2container([disk, '-o', `oci:${split}:old`, '--split-layers', '--level', '1'])
    expect(result.layers).toHaveLength(2)
    expect(result.layers[0]!.size).toBeGreaterThan(result.layers[1]!.size)
    {
      await using image = await openImage(`oci:${split}`, { cache: CACHE })
      await using union = await image.rootfs()
      await using whole = await archiveRootfs(await indexLayer(tar))
      expect(lines(await compareRootfs(whole, union))).toEqual([])
    }
    const later = join(folder, 'later.img')
    await tool('cp', ['--sparse=always', disk, later])
    await writeFile(join(folder, 'motd'), 'changed\n')
    await tool('debugfs', ['-w', '-R', `write ${join(folder, 'motd')} etc/changed`, later])
    const changed = join(folder, 'changed')
    const after = await vm2container([later, '-o', `oci:${changed}:old`, '--split-layers', '--level', '1'])
    expect(after.result.layers[0]).toEqual(result.layers[0])
    expect(after.result.layers[1]!.diffId).not.toBe(result.layers[1]!.diffId)
    const index = JSON.parse(await readFile(join(changed, 'index.json'), 'utf8')) as { manifests: unknown[] }
    expect(index.manifests).toHaveLength(1)
  })
})
