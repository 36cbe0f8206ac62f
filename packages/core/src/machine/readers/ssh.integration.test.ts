import { execFileSync } from 'node:child_process'
import { appendFile, chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { CleanupStack, findTool, silentReporter } from '@c2m/process'
import { compareRootfs, openDirectory } from '@c2m/rootfs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contentBytes, isRoot, makeOddTree } from '../../testing/odd-tree.js'
import { cuttingProxy, startSshServer, type SshServer } from '../../testing/ssh-server.js'
import type { OpenedMachine } from '../reader.js'
import { openSsh, type SshContext } from './ssh.js'

const TOOLS = { sshd: 'openssh-server', ssh: 'openssh-client', setfattr: 'attr', setfacl: 'acl', setcap: 'libcap2-bin' }
const missing: string[] = []
for (const [tool, apt] of Object.entries(TOOLS)) if ((await findTool(tool)) === undefined) missing.push(apt)
if (missing.length > 0) console.warn(`skipped: reading over ssh (apt-get install ${missing.join(' ')})`)

const MIB = 2 ** 20
const PATH = process.env.PATH

describe.skipIf(missing.length > 0)('a running machine, read over ssh', () => {
  let folder = ''
  let server: SshServer
  const at = (name: string) => join(folder, name)
  /** A name that a shell would fall apart over. */
  const tree = () => at(`it's $(a) "tree"`)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-ssh-'))
    await mkdir(tree())
    await makeOddTree(tree())
    await mkdir(at('spool'))
    await mkdir(at('server'))
    server = await startSshServer(at('server'))
    use(server)
  })
  afterAll(async () => {
    process.env.PATH = PATH
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  function use({ bin }: SshServer): void {
    process.env.PATH = `${bin}${delimiter}${PATH}`
  }

  /** Reads, lets `look` look, and makes sure that nothing stays behind. */
  async function read(
    url: string,
    options: Partial<SshContext> = {},
    look: (machine: OpenedMachine) => Promise<void> = () => Promise.resolve(),
  ): Promise<string[]> {
    const warnings: string[] = []
    const context: SshContext = {
      sudo: false,
      allFilesystems: false,
      menus: [],
      temporaryFolder: at('spool'),
      env: process.env,
      signal: new AbortController().signal,
      reporter: { ...silentReporter, warn: (message) => warnings.push(message) },
      ...options,
    }
    try {
      await using cleanup = new CleanupStack()
      await look(await openSsh(url, context, cleanup))
    } finally {
      expect(await readdir(at('spool'))).toEqual([])
    }
    return warnings
  }

  it('is the tree that the machine has, in every attribute', async () => {
    let progress = 0
    const reporter = { ...silentReporter, progress: (bytes: number) => (progress += bytes) }
    await read(server.url(tree()), { reporter }, async ({ rootfs, root }) => {
      await using judge = await openDirectory(tree())
      expect(await compareRootfs(judge, rootfs)).toEqual([])
      expect(await contentBytes(rootfs)).toBe(await contentBytes(judge))
      expect(root).toContain('ssh://')
    })
    expect(progress).toBeGreaterThan(300_000)
  })

  it('tells what changed while it was read, and reads on', async () => {
    await mkdir(at('live/etc'), { recursive: true })
    await writeFile(at('live/etc/log'), Buffer.alloc(48 * MIB, 'log'))
    const writing = setInterval(() => void appendFile(at('live/etc/log'), 'more'), 2)
    try {
      const warnings = await read(server.url(at('live')), {}, async ({ rootfs }) => {
        expect((await rootfs.stat('etc/log'))?.size).toBeGreaterThanOrEqual(48 * MIB)
      })
      expect(warnings).toEqual(['changed while it was read: /etc/log: file changed as we read it'])
    } finally {
      clearInterval(writing)
    }
  })

  it.skipIf(!isRoot)('stays on one file system unless told', async () => {
    for (const name of ['root/data', 'root/proc']) await mkdir(at(name), { recursive: true })
    for (const name of ['data', 'proc']) {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', at(`root/${name}`)])
      await writeFile(at(`root/${name}/file`), 'x')
    }
    try {
      await read(server.url(at('root')), {}, async ({ rootfs }) => {
        expect(await rootfs.list('')).toEqual(['data', 'proc'])
        expect(await rootfs.list('data')).toEqual([])
      })
      await read(server.url(at('root')), { allFilesystems: true }, async ({ rootfs }) => {
        expect(await rootfs.list('data')).toEqual(['file'])
        expect(await rootfs.list('proc')).toEqual([])
      })
    } finally {
      for (const name of ['data', 'proc']) execFileSync('umount', [at(`root/${name}`)])
    }
  })

  it('is refused when its key is not known, or another', async () => {
    const { knownHosts } = server
    execFileSync('mv', [knownHosts, `${knownHosts}.true`])
    try {
      const refused = { code: 'C2M_SSH_CONNECTION', hint: expect.stringContaining('compare the host key') as string }
      await expect(read(server.url(tree()))).rejects.toMatchObject(refused)
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at('other')])
      execFileSync('sh', ['-c', 'printf "* %s\\n" "$(cat "$0")" > "$1"', at('other.pub'), knownHosts])
      await expect(read(server.url(tree()))).rejects.toMatchObject(refused)
    } finally {
      execFileSync('mv', [`${knownHosts}.true`, knownHosts])
    }
  })

  it('says so when it does not take the key, or nobody listens', async () => {
    execFileSync('mv', [server.identity, `${server.identity}.true`])
    try {
      await expect(read(server.url(tree()))).rejects.toMatchObject({
        code: 'C2M_SSH_CONNECTION',
        message: expect.stringMatching(/Permission denied/) as string,
      })
    } finally {
      execFileSync('mv', [`${server.identity}.true`, server.identity])
    }
    await expect(read(server.url(tree(), 1))).rejects.toMatchObject({
      code: 'C2M_SSH_CONNECTION',
      message: expect.stringMatching(/Connection refused/) as string,
    })
  })

  it('leaves nothing when the connection is cut', async () => {
    await mkdir(at('large'))
    await writeFile(at('large/file'), Buffer.alloc(16 * MIB, 'x'))
    for (const bytes of [2000, 100_000, 8 * MIB]) {
      await using proxy = await cuttingProxy(server.port, bytes)
      const code = expect.stringMatching(bytes === 2000 ? /^C2M_SSH_CONNECTION$/ : /^C2M_SSH_LOST$/) as string
      await expect(read(server.url(at('large'), proxy.port)), `${bytes}`).rejects.toMatchObject({ code })
    }
  })

  it('leaves nothing when it is interrupted', async () => {
    await mkdir(at('larger'))
    await writeFile(at('larger/file'), Buffer.alloc(64 * MIB, 'x'))
    const abort = new AbortController()
    const reporter = { ...silentReporter, progress: () => abort.abort() }
    const reading = read(server.url(at('larger')), { signal: abort.signal, reporter })
    await expect(reading).rejects.toMatchObject({ code: 'C2M_INTERRUPTED', exitCode: 130 })
    const running = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    expect(running).not.toContain(at('larger'))
  })

  it('needs a folder and enough disk here', async () => {
    await expect(read(server.url(at('none')))).rejects.toMatchObject({ code: 'C2M_SSH_PATH' })
    await expect(read(server.url(tree()), { temporaryFolder: '/dev/null' })).rejects.toMatchObject({
      code: 'C2M_FILE_ENOTDIR',
    })
  })

  describe('with other programs there', () => {
    /** A server whose commands find these programs only: names and what they run, or '' for the system's. */
    async function serverWith(name: string, programs: Readonly<Record<string, string>>): Promise<SshServer> {
      await mkdir(at(`${name}/programs`), { recursive: true })
      for (const [program, script] of Object.entries({ sh: '', grep: '', ...programs })) {
        const place = at(`${name}/programs/${program}`)
        if (script === '') await symlink((await findTool(program)) ?? '', place)
        else await writeFile(place, `#!/bin/sh\n${script}\n`)
        if (script !== '') await chmod(place, 0o755)
      }
      const started = await startSshServer(at(name), { path: at(`${name}/programs`) })
      use(started)
      return started
    }

    it('needs GNU tar', async () => {
      await using poor = await serverWith('poor', { tar: 'echo "tar (busybox) 1.36"' })
      await expect(read(poor.url(tree()))).rejects.toMatchObject({ code: 'C2M_SSH_TAR', exitCode: 3 })
    })

    it('takes gtar, by sudo when asked', async () => {
      const used = at('sudo-used')
      const sudo = `test "$1" = -n || exit 1; shift; echo "$1" >> '${used}'; exec "$@"`
      await using bsd = await serverWith('bsd', { gtar: 'exec /bin/tar "$@"', tar: 'echo bsdtar 3.5', sudo })
      await read(bsd.url(tree()), { sudo: true }, async ({ rootfs }) => {
        expect((await rootfs.stat('etc/hosts'))?.type).toBe('file')
      })
      expect(execFileSync('cat', [used], { encoding: 'utf8' })).toMatch(/gtar\n.*gtar\n/)
    })

    it('tells sudo that asks for a password from changed files', async () => {
      const sudo = 'echo "sudo: a password is required" >&2; exit 1'
      await using strict = await serverWith('strict', { tar: '', sudo })
      await expect(read(strict.url(tree()), { sudo: true })).rejects.toMatchObject({
        code: 'C2M_SSH_SUDO',
        message: expect.stringContaining('a password is required') as string,
      })
    })

    it.skipIf(!isRoot)('names what it may not read', async () => {
      await mkdir(at('closed'))
      for (const name of ['a', 'b']) await writeFile(at(`closed/${name}`), 'secret', { mode: 0o600 })
      await chmod(folder, 0o755)
      const tar = 'exec /usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups /bin/tar "$@"'
      await using closed = await serverWith('user', { tar })
      await expect(read(closed.url(at('closed')))).rejects.toMatchObject({
        code: 'C2M_SSH_UNREADABLE',
        message: expect.stringMatching(
          /cannot be read completely:\n {2}\/[ab]: Cannot open: Permission denied\n/,
        ) as string,
        hint: expect.stringContaining('--sudo') as string,
      })
    })

    it('is not fooled by a shell that greets, or a tar that dies', async () => {
      await using loud = await serverWith('loud', {
        tar: 'test "$1" = --version || echo "Welcome!"; exec /bin/tar "$@"',
      })
      await expect(read(loud.url(tree()))).rejects.toMatchObject({ code: 'C2M_SSH_NOISE' })
      await using dying = await serverWith('dying', {
        tar: 'test "$1" = --version && exec /bin/tar "$@"; /bin/tar "$@" | /bin/head -c 4000; kill -9 $$',
      })
      await expect(read(dying.url(tree()))).rejects.toMatchObject({ code: 'C2M_SSH_LOST' })
      use(server)
    })
  })
})
