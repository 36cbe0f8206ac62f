import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findTool, run } from '@c2m/process'
import { writeOciLayout } from '@c2m/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alpineRoot, missingForAlpine, REAL_REPOSITORY } from '../support/alpine.js'
import { busyboxImage, missingForBusybox } from '../support/busybox.js'
import type { CliResult } from '../support/cli.js'
import { inTerminal } from '../support/in-terminal.js'
import { asOrdinaryUser, CHECKOUT, isRoot } from '../support/ordinary-user.js'
import { ROOT } from '../support/paths.js'

const missing = missingForBusybox()
if (missing !== undefined) console.warn(`SKIPPED: c2m shell needs ${missing}`)
const hasTerminal = (await findTool('python3')) !== undefined && (await findTool('script')) !== undefined
if (!hasTerminal) console.warn('SKIPPED: terminals of c2m shell: apt-get install python3 bsdutils')

const users = isRoot ? (['root', 'an ordinary user'] as const) : (['an ordinary user'] as const)

/** Flags, and what is said of them; the same for every user. */
const REFUSED: readonly (readonly [flags: readonly string[], code: string, exitCode: number])[] = [
  [['-v', './home:/a/../b'], 'C2M_VOLUME', 2],
  [['-v', './home:relative'], 'C2M_VOLUME', 2],
  [['-v', '.:/'], 'C2M_VOLUME', 2],
  [['-v', '.:/proc/x'], 'C2M_VOLUME', 2],
  [['-v', './no-such-folder:/data'], 'C2M_FILE_ENOENT', 1],
  [['--user', 'no-such-user'], 'C2M_SHELL_USER', 2],
  [['--workdir', '/etc/passwd'], 'C2M_SHELL_DIRECTORY', 2],
  [['--squash'], 'C2M_USAGE', 2],
  [['--no-such-flag'], 'C2M_USAGE', 2],
  [['--memory', 'much'], 'C2M_SIZE', 2],
  [['--commit', 'nowhere'], 'C2M_IMAGE_DESTINATION', 2],
  [['--commit', 'docker-archive:-'], 'C2M_FLAG_CONFLICT', 2],
  [['--commit', 'tarball:x.tar'], 'C2M_FLAG_CONFLICT', 2],
]

describe.skipIf(missing !== undefined).each(users)('c2m shell as %s', (user) => {
  let home = ''
  let image = ''
  let program: readonly string[] = []
  let env: NodeJS.ProcessEnv = {}
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'c2m-shell-'))
    await chmod(home, 0o755)
    await cp(busyboxImage('musl'), join(home, 'busybox'), { recursive: true })
    image = `oci:${join(home, 'busybox')}`
    const checkout = user === 'root' ? ROOT : CHECKOUT
    const prefix = user === 'root' ? [] : await asOrdinaryUser(home)
    program = [...prefix, process.execPath, `${checkout}packages/cli/bin/run.js`]
    env = { ...process.env, C2M_CACHE_DIR: join(home, 'cache') }
  })
  afterAll(async () => {
    await c2m(['cache', 'prune'])
    await rm(home, { recursive: true, force: true })
  })

  const start = (args: readonly string[], detached = false) => {
    const [file = '', ...rest] = [...program, ...args]
    return spawn(file, rest, { cwd: home, env, stdio: ['pipe', 'pipe', 'pipe'], detached })
  }
  const c2m = (args: readonly string[], input = ''): Promise<CliResult> => {
    const child = start(args)
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr })))
  }
  /** Runs a script in the image. */
  const sh = (script: string, ...flags: readonly string[]) => c2m(['shell', image, ...flags, '--', 'sh', '-c', script])

  it('gives the command its input, takes its output, passes its exit code on', async () => {
    const result = await c2m(['shell', image, '--', 'sh', '-c', 'cat; echo err >&2; exit 7'], 'from outside\n')
    expect(result).toMatchObject({ code: 7, stdout: 'from outside\n' })
    expect(result.stderr).toContain('err\n')
    expect((await sh('kill -KILL $$')).code).toBe(137)
    expect((await c2m(['shell', image, '--', 'no-such-program'])).code).toBe(127)
    expect(await sh('echo "$OPTIND $PPID_"', '-e', 'OPTIND=abc', '-e', 'PPID_=1')).toMatchObject({ code: 0 })
  })

  it('runs the words as they are given, also those that c2m knows itself', async () => {
    const words = ['echo', 'x', '-w', 'x', '--', image, '/etc', '-u', '0', '0', '--', '']
    const { stdout } = await c2m(['shell', '-w', '/etc', image, '-u', '0', '--', ...words])
    expect(stdout).toBe(`${words.slice(1).join(' ')}\n`)
  })

  it('gives it ids that are nobody’s on the host', async () => {
    const { stdout } = await sh('id -u; cat /proc/self/uid_map; ls /proc | grep -c "^[0-9]"')
    const [uid, map = '', processes] = stdout.split('\n')
    expect(uid).toBe('0')
    const [inside, outside, count] = map.trim().split(/\s+/).map(Number)
    expect([inside, count]).toEqual([0, 65536])
    expect([0, process.getuid?.(), 61_234]).not.toContain(outside)
    expect(Number(processes)).toBeLessThan(8)
  })

  it('sets user, groups, working directory and environment', async () => {
    const flags = ['--user', 'www-data:5', '--workdir', '/made/here', '--env', "A=it's $HOME", '--env', 'HOST_VALUE']
    env.HOST_VALUE = 'handed on'
    const { stdout } = await sh('id -u; id -g; pwd; echo "$A"; echo "$HOST_VALUE"; env | sort', ...flags)
    const lines = stdout.split('\n')
    expect(lines.slice(0, 5)).toEqual(['33', '5', '/made/here', "it's $HOME", 'handed on'])
    const names = lines.slice(5).flatMap((line) => /^(\w+)=/.exec(line)?.[1] ?? [])
    const proxies = /^(?:https?|ftp|all|no)_proxy$/i
    expect(names.filter((name) => !proxies.test(name))).toEqual([
      ...['A', 'HOME', 'HOSTNAME', 'HOST_VALUE', 'PATH', 'PWD', 'SHLVL'],
    ])
  })

  it.skipIf(missingForAlpine() !== undefined)(
    'lets a real package manager work, with folders of this host',
    async () => {
      await mkdir(join(home, 'lent'))
      await writeFile(join(home, 'lent', 'x'), 'from the host')
      const volumes = ['-v', `${REAL_REPOSITORY}:/repo:ro`, '-v', './lent:/data']
      const script = 'echo /repo > /etc/apk/repositories; apk add -q sfdisk && sfdisk --version && cat /data/x'
      const { stdout, code } = await c2m([
        ...['shell', `tarball:${alpineRoot('3.19.4')}`, ...volumes],
        ...['--', 'sh', '-c', script],
      ])
      expect(stdout).toMatch(/^sfdisk from util-linux 2\.39.*\nfrom the host$/)
      expect(code).toBe(0)
    },
  )

  it('changes neither image nor cache', async () => {
    const digest = async () => {
      const hash = createHash('sha256')
      const files = (await readdir(join(home, 'busybox'), { recursive: true, withFileTypes: true })).filter((entry) =>
        entry.isFile(),
      )
      for (const file of files.sort((a, b) => (a.name < b.name ? -1 : 1)))
        hash.update(await readFile(join(file.parentPath, file.name)))
      return hash.digest('hex')
    }
    const before = await digest()
    expect((await sh('rm -rf /bin /etc; exit 0')).code).toBe(0)
    expect(await digest()).toBe(before)
    expect((await sh('test -f /etc/passwd && echo there')).stdout).toBe('there\n')
  })

  it('has a network of its own, the host’s when asked, or none but a loopback device', async () => {
    const server = createServer((_, response) => response.end('hello from the host'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const get = `wget -q -T 3 -O - http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      expect((await sh(get, '--net', 'host')).stdout).toBe('hello from the host')
      // whoever cannot have one of his own is told
      const usual = await sh(get)
      if (usual.stdout !== '') expect(usual.stderr).toContain('reach what this host reaches')
      const proxied = await sh(get, '--net', 'http')
      expect(proxied.stdout).toBe('')
      expect(proxied.code).not.toBe(0)
      const alone = await sh(`ls /sys/class/net; ip -o addr | grep -c 127.0.0.1; ${get}`, '--net', 'none')
      expect(alone.stdout).toBe('lo\n1\n')
      expect(alone.code).not.toBe(0)
    } finally {
      server.close()
    }
  })

  it('mounts volumes, to be written or only read', async () => {
    const data = join(home, 'data')
    await mkdir(data)
    await writeFile(join(data, 'x.json'), '{"a":1}\n')
    await chmod(data, 0o777)
    const written = await sh('cat /data/x.json; echo new > /data/new', '-v', './data:/data')
    expect(written).toMatchObject({ code: 0, stdout: '{"a":1}\n' })
    expect(await readFile(join(data, 'new'), 'utf8')).toBe('new\n')
    const read = await sh('cat /srv/x; echo no > /data/no', '-v', './data:/data:ro', '-v', './data/x.json:/srv/x')
    expect(read).toMatchObject({ code: 1, stdout: '{"a":1}\n' })
    expect(read.stderr).toContain('Read-only file system')
    expect((await readdir(data)).sort()).toEqual(['new', 'x.json'])
  })

  it('reaches a volume in a closed folder, and says when its permissions are in the way', async () => {
    const closed = join(home, 'closed')
    await mkdir(join(closed, 'open'), { recursive: true })
    await writeFile(join(closed, 'open/file'), 'readable\n')
    await mkdir(join(closed, 'private'), { mode: 0o700 })
    await chmod(closed, 0o700)
    if (isRoot && user !== 'root') await run('chown', ['-R', '61234:61234', closed])
    const readable = await sh('cat /v/file', '-v', './closed/open:/v')
    expect(readable).toMatchObject({ code: 0, stdout: 'readable\n' })
    expect(readable.stderr).toContain('can be read in the sandbox, not written')
    expect((await sh('ls /v', '-v', './closed/private:/v')).stderr).toContain('cannot be read in the sandbox')
  })

  it('keeps volumes inside the image, wherever its symlinks lead', async () => {
    const tree = join(home, 'links')
    await mkdir(join(tree, 'real'), { recursive: true })
    await symlink('/../../../../tmp', join(tree, 'up'))
    await symlink('real', join(tree, 'inside'))
    const layer = join(home, 'links.tar')
    await run('tar', ['--owner=0', '--group=0', '-C', tree, '-cf', layer, '.'])
    const blob = join(home, 'busybox.tar')
    await run('skopeo', ['copy', image, `docker-archive:${blob}:busybox:links`])
    await mkdir(join(home, 'unpacked'))
    await run('tar', ['-C', join(home, 'unpacked'), '-xf', blob])
    const base = (await readdir(join(home, 'unpacked'))).find((name) => /^[0-9a-f]{64}\.tar$/.test(name)) ?? ''
    const layers = [join(home, 'unpacked', base), layer]
    await writeOciLayout(join(home, 'linked'), { layers, architecture: 'amd64', tag: 'links', created: 1_700_000_000 })
    const secret = join(home, 'volume')
    await mkdir(secret)
    await writeFile(join(secret, 'mark'), 'x')
    const flags = ['-v', './volume:/up/escaped', '-v', './volume:/inside/v']
    const script = 'ls /tmp/escaped /real/v; ls -ld /up'
    const result = await c2m(['shell', `oci:${join(home, 'linked')}`, ...flags, '--', 'sh', '-c', script])
    expect(result).toMatchObject({ code: 0 })
    expect(result.stdout.match(/mark/g)).toHaveLength(2)
    await expect(readdir('/tmp/escaped')).rejects.toThrow('ENOENT')
  })

  it('refuses what cannot be before it runs anything', async () => {
    for (const [flags, code, exitCode] of user === 'root' || !isRoot ? REFUSED : []) {
      const result = await sh('echo ran', ...flags)
      expect(result.stderr).toContain(`(${code})`)
      expect(result).toMatchObject({ code: exitCode, stdout: '' })
    }
  })

  it('names an image without a shell as such', async () => {
    const tree = join(home, 'bare')
    await mkdir(join(tree, 'etc'), { recursive: true })
    const result = await c2m(['shell', `dir:${tree}`])
    expect(result.code).toBe(2)
    expect(result.stderr).toContain('the image has no /bin/sh')
  })

  it('gives the result as one object on standard output, and the command’s output beside it', async () => {
    const { stdout, stderr } = await sh('echo words; exit 3', '--json')
    expect(JSON.parse(stdout)).toEqual({ image, command: ['sh', '-c', 'echo words; exit 3'], exitCode: 3 })
    expect(stderr).toContain('words')
  })

  it('leaves Ctrl-C to a command without a terminal, and ends with SIGTERM', async () => {
    for (const [signal, expected] of [
      ['SIGINT', 9],
      ['SIGTERM', 130],
    ] as const) {
      const child = start(['shell', image, '--', 'sh', '-c', 'trap "exit 9" INT; echo on; sleep 300 & wait'], true)
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await signalProgram(child.pid ?? 0, signal)
      expect(await ended).toBe(expected)
    }
  })

  it('leaves nothing running after kill -9, and nothing on disk that the next run does not sweep', async () => {
    const mark = `61${process.pid}`
    const child = start(['shell', image, '--', 'sh', '-c', `echo > /made; echo on; sleep ${mark}`], true)
    await new Promise((resolve) => child.stdout.once('data', resolve))
    expect(await running(mark)).toBeGreaterThan(0)
    await signalProgram(child.pid ?? 0, 'SIGKILL')
    for (let attempt = 0; (await running(mark)) > 0 && attempt < 60; attempt++) await sleep(50)
    expect(await running(mark)).toBe(0)
    const remains = async () =>
      (await run('find', [join(home, 'cache'), '-maxdepth', '5'])).stdout
        .split('\n')
        .filter((path) => /\/(?:work|image|[0-9a-f]{64})\.\d+\.\d+-[^/]*$/.test(path))
    expect(await remains()).not.toEqual([])
    expect((await sh('test ! -e /made')).code).toBe(0)
    expect(await remains()).toEqual([])
  })

  it.skipIf(!hasTerminal)('has a terminal: job control, Ctrl-C, its size, and the outer one as it was', async () => {
    const prompt = '/ # '
    const typed = [
      { after: prompt, keys: 'stty size; sh -c "echo to-stderr > /dev/stderr; exec sleep 300"\n' },
      { after: /to-stderr\r\n/, keys: '\x03' },
      { after: prompt, keys: 'echo "status $?"; sh -c "echo started; exec sleep 301"\n' },
      { after: /status 130\r\nstarted/, keys: '\x1a' },
      { after: 'Stopped', keys: 'kill -KILL %1; wait; exit 6\nexit 6\n' },
    ]
    const result = await inTerminal([...program, 'shell', image], typed, { env, cwd: home })
    expect(result.shown).toContain('24 80')
    expect(result.code, result.shown).toBe(6)
    expect(result.settings[0]).toContain('icanon')
    expect(result.settings[1]).toBe(result.settings[0])
  })

  it.skipIf(!hasTerminal)('passes Ctrl-C to a given command on a terminal', async () => {
    // a signal may come before the program that the shell is about to wait for
    const command = ['--', 'sh', '-c', 'trap "echo got it; exit 5" INT; echo on; while :; do sleep 1; done']
    const result = await inTerminal([...program, 'shell', image, ...command], [{ after: 'on\r\n', keys: '\x03' }], {
      env,
      cwd: home,
    })
    expect(result.shown).toContain('got it')
    expect(result.code, result.shown).toBe(5)
    expect(result.settings[1]).toBe(result.settings[0])
  })
})

/** Sends a signal to the Node.js process among a process and those that it started. */
async function signalProgram(pid: number, signal: NodeJS.Signals): Promise<void> {
  const { stdout } = await run('ps', ['-o', 'pid=,comm=', '--ppid', String(pid), '-p', String(pid)])
  const own = stdout.split('\n').find((line) => /\bnode\b|MainThread/.test(line))
  process.kill(Number.parseInt(own ?? '', 10), signal)
}

/** Processes on this host that have the word among their arguments. */
async function running(word: string): Promise<number> {
  let count = 0
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
    if (line.split('\0').includes(word)) count++
  }
  return count
}
