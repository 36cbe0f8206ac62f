import { copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findTool, run } from '@c2m/process'
import { startDockerDaemon, type DockerDaemon } from '@c2m/testkit'
import { compareRootfs } from '@c2m/rootfs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OpenImageOptions } from '../image.js'
import { openImage } from '../open.js'
import { temporary } from '../testing/layout.js'
import { lacks } from '../testing/tools.js'

const noRoot = process.getuid?.() !== 0
if (noRoot) console.warn('skipped: the tests with a real Docker daemon need root to start one')
const missing =
  noRoot ||
  lacks('images of a real Docker daemon', {
    dockerd: 'docker.io',
    docker: 'docker.io',
    busybox: 'busybox-static',
    umount: 'mount',
  })

/** What layers can do to each other; each RUN is a layer. */
const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin"]
RUN ["/bin/sh", "-c", "mkdir -p /opaque/deep /was-dir/x /stay; echo one >/opaque/old; echo two >/opaque/deep/old; echo a >/hard1; ln /hard1 /hard2; ln -s stay /link; echo gone >/gone; echo f >/was-file; ln -s /hard1 /was-link; echo y >/was-dir/x/y; mkfifo /fifo; chmod 4755 /hard1; chown 70000:70001 /gone; mkdir /sticky; chmod 1777 /sticky"]
RUN ["/bin/sh", "-c", "rm -rf /opaque; mkdir /opaque; echo new >/opaque/new; rm /gone; rm -rf /was-dir; ln -s stay /was-dir; rm /was-link; mkdir /was-link; echo in >/was-link/in; rm /was-file; mkdir /was-file"]
RUN ["/bin/sh", "-c", "echo more >>/hard2; ln /hard2 /hard3; echo through >/link/file; chmod 700 /stay; ln -sf hard1 /link2; rm -f /link2; echo plain >/link2"]
USER 1000
ENV A=b
EXPOSE 80/tcp
LABEL who=tests
CMD ["/bin/sh"]
`

/** What Docker itself puts into containers. */
const DOCKERS_OWN = /^(\.dockerenv|dev|etc|proc|sys)(\/|$)/

describe.skipIf(missing)('a real Docker daemon', () => {
  let folder: AsyncDisposable & { path: string }
  let daemon: DockerDaemon
  let env: NodeJS.ProcessEnv
  const docker = (...args: string[]) => run('docker', args, { env })

  beforeAll(async () => {
    folder = await temporary()
    const at = (name: string) => join(folder.path, name)
    daemon = await startDockerDaemon()
    env = { ...daemon.env, DOCKER_BUILDKIT: '0' }
    await mkdir(at('build'))
    await writeFile(at('build/Dockerfile'), DOCKERFILE)
    await copyFile((await findTool('busybox'))!, at('build/busybox'))
    await docker('build', '--network=none', '-t', 'stack:1', '-t', 'team/stack:2', at('build'))
    await docker('create', '--name', 'made', 'stack:1')
    await docker('save', '-o', at('saved.tar'), 'stack:1', 'team/stack:2')
  })

  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  const options = (cache: string): OpenImageOptions => ({ cache: join(folder.path, cache), env })
  const layerFiles = (cache: string) => readdir(join(folder.path, cache, 'layers/sha256'))
  /** Against what the daemon's own merging exports. */
  async function expectSameAsExport(reference: string, cache: string): Promise<void> {
    await using image = await openImage(reference, options(cache))
    await using exported = await openImage('container:made', options('export'))
    await using a = await image.rootfs()
    await using b = await exported.rootfs()
    const ignore = (path: string) => path === '' || DOCKERS_OWN.test(path)
    expect(await compareRootfs(a, b, { ignore, wholeSeconds: true })).toEqual([])
    expect(await a.list('opaque')).toEqual(['new'])
    expect((await a.stat('hard3'))?.nlink).toBe((await b.stat('hard3'))?.nlink)
    expect(image.layers.length).toBeGreaterThan(4)
    expect(image.config).toMatchObject({
      user: '1000',
      cmd: ['/bin/sh'],
      exposedPorts: ['80/tcp'],
      labels: { who: 'tests' },
    })
  }

  it('merges what `docker save` wrote into what `docker export` gives', async () => {
    await expectSameAsExport(`docker-archive:${folder.path}/saved.tar:stack:1`, 'saved')
    await expectSameAsExport(`${folder.path}/saved.tar`, 'saved')
  })

  it('takes the same image from the daemon, the second time without its being sent', async () => {
    await expectSameAsExport('docker-daemon:stack:1', 'daemon')
    expect((await layerFiles('daemon')).sort()).toEqual((await layerFiles('saved')).sort())
    let bytes = 0
    const reporter = {
      stage: () => () => undefined,
      progress: (more: number) => (bytes += more),
      info: () => {},
      warn: () => {},
      detail: () => {},
    }
    await using again = await openImage('docker-daemon:team/stack:2', { ...options('daemon'), reporter })
    await using bare = await openImage('stack:1', { ...options('daemon'), reporter })
    expect(again.digest).toBe(bare.digest)
    expect(bare.digest).toBe((await docker('image', 'inspect', '-f', '{{.Id}}', 'stack:1')).stdout.trim())
    expect(bytes).toBe(0)
  })

  it('describes a container by what it runs', async () => {
    await using container = await openImage('container:made', options('container'))
    expect(container).toMatchObject({ name: 'made', os: 'linux', config: { user: '1000', labels: { who: 'tests' } } })
    expect(container.architecture).toBe((await docker('version', '-f', '{{.Server.Arch}}')).stdout.trim())
    await expect(openImage('container:absent', options('container'))).rejects.toThrow('has no container absent')
    await expect(openImage('docker-daemon:absent', options('container'))).rejects.toThrow('has no image absent')
    expect(await readdir(join(folder.path, 'container/temporary'))).toHaveLength(1) // that of the image still open
  })

  it('builds a Dockerfile and opens the result', async () => {
    await mkdir(join(folder.path, 'small'))
    await writeFile(join(folder.path, 'small/Dockerfile'), 'FROM stack:1\nCOPY Dockerfile /added\n')
    await using image = await openImage(`dockerfile:${folder.path}/small`, options('built'))
    expect(image.name).toBe('small')
    await using tree = await image.rootfs()
    expect((await tree.stat('added'))?.size).toBe((await stat(join(folder.path, 'small/Dockerfile'))).size)
    await expect(openImage(`dockerfile:${folder.path}/export`, options('built'))).rejects.toThrow('has no Dockerfile')
    await writeFile(join(folder.path, 'small/Dockerfile'), 'FROM stack:1\nRUN ["/bin/false"]\n')
    await expect(openImage(`dockerfile:${folder.path}/small`, options('built'))).rejects.toThrow(
      expect.objectContaining({ code: 'C2M_COMMAND_FAILED' }) as Error,
    )
  })

  it('stops in the middle of an export when interrupted', async () => {
    const signal = AbortSignal.timeout(5)
    await expect(openImage('docker-daemon:stack:1', { ...options('interrupted'), signal })).rejects.toThrow(
      'interrupted',
    )
    expect(await readdir(join(folder.path, 'interrupted/temporary')).catch(() => [])).toEqual([])
  })
})
