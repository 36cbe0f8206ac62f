import { spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Rootfs } from '@c2m/plugin-api'
import { silentReporter } from '@c2m/process'
import { pruneCache } from '../cache/cache.js'
import { runSandbox, type SandboxMode, type SandboxOptions, type SandboxTask } from '../sandbox.js'
import { CAPABILITY, EPOCH, describeLayer, exec, miniTree, temporary, treeFrom } from './tree.js'

/** One way of everything that an overlay has its own form for. */
export const CHANGES = [
  'cd /etc',
  'busybox rm gone',
  'echo new > changed',
  'busybox rm -r opaque; busybox mkdir opaque; echo new > opaque/new; busybox mkdir opaque/dir',
  'busybox rm -r tofile; echo file > tofile',
  'busybox rm todir; busybox mkdir todir; echo in > todir/in',
  'busybox mkdir -m 2750 added; echo a > added/a; busybox ln added/a added/b; busybox ln -s ../x added/s',
  'busybox mkfifo -m 640 added/f; busybox chmod 4755 added/a; busybox chown 33:65534 added/b',
].join('\n')

export const EXPECTED = [
  '- etc/.wh.gone',
  '- etc/opaque/.wh..wh..opq',
  'directory 2750 0:0 etc/added',
  'directory 755 0:0 etc/opaque',
  'directory 755 0:0 etc/opaque/dir',
  'directory 755 0:0 etc/todir',
  'fifo 640 0:0 etc/added/f',
  'file 644 0:0 etc/changed "new\\n"',
  'file 644 0:0 etc/opaque/new "new\\n"',
  'file 644 0:0 etc/todir/in "in\\n"',
  'file 644 0:0 etc/tofile "file\\n"',
  'file 755 33:65534 etc/added/a "a\\n"',
  'hardlink 755 33:65534 etc/added/b etc/added/a',
  'symlink 777 0:0 etc/added/s ../x',
]

/** What holds in every mode, and what in namespaces only. `program` is a static busybox. */
export function sandboxSuite(mode: SandboxMode, program: Buffer): void {
  let folder: string
  let base: Rootfs
  let runs = 0
  const lines: string[] = []
  const reporter = { ...silentReporter, detail: (line: string) => void lines.push(line) }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-sandbox-'))
    base = await treeFrom(join(folder, 'base.tar'), miniTree(program))
  })
  afterAll(async () => {
    await base?.[Symbol.asyncDispose]()
    await pruneCache(join(folder, 'cache'))
    await rm(folder, { recursive: true })
  })

  const task = (steps: SandboxTask['steps'], more: Partial<SandboxTask> = {}): SandboxTask => ({
    base,
    baseId: 'mini',
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    steps,
    packageCaches: [],
    cacheGroup: `test-${process.pid}`,
    sourceDateEpoch: EPOCH,
    ...more,
  })
  const output = () => join(folder, `layer-${runs}.tar`)
  const make = async (
    steps: SandboxTask['steps'],
    more: Partial<SandboxTask> = {},
    options: Partial<SandboxOptions> = {},
  ) => {
    runs++
    lines.length = 0
    await runSandbox(task(steps, more), output(), { cache: join(folder, 'cache'), mode, reporter, env: {}, ...options })
    return describeLayer(output())
  }

  it('keeps what changed, as an OCI layer', async () => {
    const layer = await make([exec(CHANGES)])
    // a commit says the same in other words: the directory's mode is the base's, so its mark alone is enough
    const other = mode === 'docker' ? ['directory 755 0:0 etc/opaque'] : []
    expect(layer).toEqual(EXPECTED.filter((line) => !other.includes(line)).sort())
  })

  it('gives nothing when nothing changes', async () => {
    expect(await make([exec('busybox cat /etc/keep > /dev/null; echo x > /tmp/x; echo y > /run/y')])).toEqual([])
  })

  it('gives the same bytes again, in memory and on disk', async () => {
    await make([exec(CHANGES)])
    const first = await readFile(output())
    await make([exec(CHANGES)], {}, { work: 'disk' }) // an engine decides that by itself
    expect(Buffer.compare(await readFile(output()), first)).toBe(0)
  })

  it('shows only a clean environment, and proxies', async () => {
    const env = { HTTPS_PROXY: 'http://user:secret@proxy', no_proxy: 'x', SECRET: 'no' }
    const look = exec('busybox env | busybox sort', { env: { MINE: '1', TERM: 'dumb' } })
    await make([look], {}, { env, network: 'host' })
    const ignored = /^(SHLVL|PWD|HOSTNAME|container|OLDPWD)=/
    expect(lines.filter((line) => /^\w+=/.test(line) && !ignored.test(line))).toEqual([
      'HOME=/root',
      'HTTPS_PROXY=http://user:secret@proxy',
      'LANG=C.UTF-8',
      'MINE=1',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      `SOURCE_DATE_EPOCH=${EPOCH}`,
      'TERM=dumb',
      'no_proxy=x',
    ])
  })

  it('keeps the passwords of proxies', async () => {
    if (mode === 'docker') return
    const env = { HTTPS_PROXY: 'http://user:secret@proxy', no_proxy: 'x' }
    await make([exec('busybox env; busybox cat /proc/*/environ 2> /dev/null || :')], {}, { env })
    expect(lines.filter((line) => line.includes('secret') || line.includes('user:'))).toEqual([])
    expect(lines.some((line) => /^https_proxy=http:\/\/127\.0\.0\.1:\d+$/.test(line))).toBe(true)
  })

  it('feeds standard input', async () => {
    expect(await make([exec('busybox cat > /etc/in', { stdin: 'some input' })])).toEqual([
      'file 644 0:0 etc/in "some input"',
    ])
  })

  it('shows temporary files while it runs and leaves no trace of them', async () => {
    const steps = [
      exec('! busybox test -e /opt'),
      temporary('/opt/made/tool', '#!/bin/sh\nexit 101\n', 0o755),
      temporary('/etc/policy', 'temporary\n'),
      exec('busybox ls -l /opt/made/tool; busybox cat /etc/policy; /opt/made/tool || echo "exit $?"'),
    ]
    expect(await make(steps)).toEqual([])
    expect(lines.some((line) => line.startsWith('-rwxr-xr-x'))).toBe(true)
    expect(lines).toContain('temporary')
    expect(lines).toContain('exit 101')
  })

  it("keeps a package's own version of a temporary file", async () => {
    const steps = [
      temporary('/etc/policy', 'temporary\n'),
      temporary('/etc/other', 't'),
      exec('echo mine > /etc/policy; echo own > /etc/other'),
    ]
    expect(await make(steps)).toEqual(['file 644 0:0 etc/other "own\\n"', 'file 644 0:0 etc/policy "mine\\n"'])
  })

  it('keeps package caches across runs and out of the layer', async () => {
    const more = { packageCaches: ['/var/cache/pkg', '/var/lists'] }
    const first = await make(
      [exec('! busybox test -e /var/cache/pkg/x; echo x > /var/cache/pkg/x; echo y > /var/lists/y')],
      more,
    )
    const second = await make([exec('busybox cat /var/cache/pkg/x /var/lists/y')], more)
    expect(lines.slice(-2)).toEqual(['x', 'y'])
    // the mount point that the image lacked is all that may be seen
    for (const layer of [first, second]) expect(layer.filter((line) => !line.endsWith(' var/lists'))).toEqual([])
  })

  it('says which step failed, with its command and last lines, and leaves nothing', async () => {
    const failing = exec('for i in 1 2 3; do echo "line $i" >&2; done; exit 3', { title: 'fail on purpose' })
    const error = await make([exec('true'), failing]).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'C2M_SANDBOX_STEP_FAILED', exitCode: 1 })
    expect(String(error)).toContain('"fail on purpose" (/bin/busybox sh -ec')
    expect(String(error)).toContain('exit code 3')
    expect(String(error)).toContain('line 3')
    await expect(readFile(output())).rejects.toThrow('ENOENT')
  })

  it('names a command that the image does not have', async () => {
    const error = await make([exec('', { argv: ['no-such-program', 'x'] })]).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'C2M_SANDBOX_STEP_FAILED' })
    expect(String(error)).toContain('no-such-program')
  })

  it('ends at once when it is interrupted, and leaves nothing', async () => {
    const before = await traces()
    const abort = new AbortController()
    const mark = `98765${process.pid}`
    const running = make([exec(`busybox sleep ${mark} & busybox sleep ${mark}`)], {}, { signal: abort.signal })
    running.catch(() => undefined)
    for (let i = 0; (await processes(mark)) === 0 && i < 100; i++) await sleep(50)
    expect(await processes(mark)).toBeGreaterThan(0)
    const begin = Date.now()
    abort.abort()
    await expect(running).rejects.toMatchObject({ code: 'C2M_INTERRUPTED', exitCode: 130 })
    expect(Date.now() - begin).toBeLessThan(mode === 'docker' ? 20_000 : 3_000)
    expect(await processes(mark)).toBe(0)
    expect(await traces()).toEqual(before)
    await expect(readFile(output())).rejects.toThrow('ENOENT')
  })

  /** The sandbox's mounts, and files in the cache that only a run has. */
  async function traces(): Promise<unknown> {
    const all = await readdir(join(folder, 'cache'), { recursive: true }).catch(() => [])
    const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
    return {
      mounts: mounts.filter((line) => / - \S+ c2m/.test(line) || line.includes(join(folder, 'cache'))),
      files: all.filter((path) => /(unpack|work|mini|engine)\.\d+\./.test(path)),
    }
  }

  if (mode !== 'docker') namespaceSuite(mode, make, lines, traces)
}

type Make = (
  steps: SandboxTask['steps'],
  more?: Partial<SandboxTask>,
  options?: Partial<SandboxOptions>,
) => Promise<string[]>

function namespaceSuite(mode: SandboxMode, make: Make, lines: readonly string[], traces: () => Promise<unknown>): void {
  it('gives back what the unpacked base could not hold', async () => {
    const layer = await make([
      exec('cd /srv; busybox chmod 600 far; busybox chmod 711 trusted; busybox chmod 555 capable; busybox touch new'),
    ])
    expect(layer).toEqual([
      `file 555 0:0 srv/capable "x" security.capability=${CAPABILITY.toString('hex')}`,
      'file 600 200000:7 srv/far "far\\n"',
      'file 644 0:0 srv/new ""',
      'file 711 0:0 srv/trusted "x" trusted.mark=610062 user.kept=6b',
    ])
  })

  it('keeps an owner that a package gave', async () => {
    expect(await make([exec('busybox chown 5:6 /srv/far')])).toEqual(['file 644 5:6 srv/far "far\\n"'])
  })

  it("lends the host's resolver and gives the image's back", async () => {
    const look = exec('! busybox test -L /etc/resolv.conf; busybox cat /etc/resolv.conf; busybox cat /etc/hosts')
    expect(await make([look], {}, { network: 'host' })).toEqual([])
    const resolver = await readFile('/etc/resolv.conf', 'utf8')
    for (const line of resolver.trimEnd().split('\n')) expect(lines).toContain(line)
    expect(lines).toContain('127.0.0.1 localhost')
    const replaced = 'busybox rm /etc/resolv.conf; busybox ln -s /run/x /etc/resolv.conf'
    expect(await make([exec(replaced)], {}, { network: 'host' })).toEqual(['symlink 777 0:0 etc/resolv.conf /run/x'])
  })

  it('gives back what an earlier step had made of a temporary file', async () => {
    const changed = [exec('echo earlier > /etc/policy'), temporary('/etc/policy', 't'), exec('busybox cat /etc/policy')]
    expect(await make(changed)).toEqual(['file 644 0:0 etc/policy "earlier\\n"'])
    const removed = [exec('busybox rm /etc/policy'), temporary('/etc/policy', 't'), exec('busybox cat /etc/policy')]
    expect(await make(removed)).toEqual(['- etc/.wh.policy'])
  })

  it('puts a temporary file where a symlink of the image leads, never out of the tree', async () => {
    expect(await make([temporary('/etc/link/t', 'temporary\n'), exec('busybox cat /etc/opaque/t')])).toEqual([])
    expect(lines).toContain('temporary')
    const moved = [
      exec('busybox mkdir /etc/d; busybox rm -r /etc/d; busybox ln -s /tmp /etc/d'),
      temporary('/etc/d/t', 'x'),
    ]
    await expect(make(moved)).rejects.toMatchObject({ code: 'C2M_SANDBOX_FAILED' })
    await expect(readFile('/tmp/t')).rejects.toThrow('ENOENT')
  })

  it('shows the image nothing of the host', async () => {
    const look = [
      'busybox ls /proc/1/root/ || :; busybox ls /dev/shm; echo "roots $(busybox grep -c " / / " /proc/self/mountinfo)"',
      'busybox mkdir /tmp/out; cd /tmp; busybox chroot /tmp/out /bin/sh 2> /dev/null || :; cd ../../../../..; busybox ls .',
      'echo "host $(busybox hostname)"; echo "processes $(busybox ls /proc | busybox grep -c "^[0-9]")"',
      'busybox cat /proc/self/uid_map',
    ]
    await make([exec(look.join('\n'))])
    expect(lines).not.toContain('home')
    expect(lines).toContain('srv')
    expect(lines).toContain('roots 1')
    expect(lines).toContain('host localhost')
    expect(Number(lines.find((line) => line.startsWith('processes'))?.slice(10))).toBeLessThan(8)
    const [inside, outside, count] = (lines.at(-1) ?? '').trim().split(/\s+/).map(Number)
    if (mode === 'root') expect([inside, outside]).toEqual([0, 0])
    else expect([inside, count, outside !== 0 && outside !== process.getuid?.()]).toEqual([0, 65536, true])
  })

  it('ends what a step left running', async () => {
    const mark = `12321${process.pid}`
    await make([
      exec(`busybox sleep ${mark} > /dev/null 2>&1 &`),
      exec(`! busybox ps | busybox grep -v grep | busybox grep ${mark}`),
    ])
    expect(await processes(mark)).toBe(0)
  })

  it('bounds the processes, the time and the lines of a step', async () => {
    // as the host's root a trusted image has no such limit
    if (mode !== 'root') {
      const bomb = 'n=0; while busybox sleep 30 & do n=$((n + 1)); [ $n -lt 5000 ] || exit 0; done'
      await expect(make([exec(bomb)])).rejects.toMatchObject({ code: 'C2M_SANDBOX_STEP_FAILED' })
    }
    const late = make([exec('busybox sleep 60 & busybox sleep 60')], {}, { seconds: 1 })
    await expect(late).rejects.toMatchObject({ code: 'C2M_SANDBOX_LIMIT' })
    // 200 MB without an end
    await make([exec('busybox dd if=/dev/zero bs=1M count=200 2> /dev/null | busybox tr "\\0" A')])
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(70_000)
  })

  it('leaves the host alone when the image’s root kills and writes whatever it can', async () => {
    const victim = spawn('sleep', ['300'], { stdio: 'ignore' })
    const hostile = [
      'for f in /proc/[0-9]*/fd/*; do (echo "c2m pid 1"; echo entered; echo "c2m command 1") 2> /dev/null > $f || :; done',
      'for f in 3 4 5 6 7 8 9; do eval "echo \'c2m pid 1\' >&$f" 2> /dev/null || :; done',
      'busybox kill -9 -1 || :',
      'busybox kill -9 1 || :',
      'exit 4',
    ]
    await expect(make([exec(hostile.join('\n'))])).rejects.toMatchObject({ code: 'C2M_SANDBOX_STEP_FAILED' })
    expect(victim.exitCode).toBeNull()
    expect(victim.signalCode).toBeNull()
    victim.kill()
  })

  it('refuses programs for another processor', async () => {
    const architecture = process.arch === 's390x' ? 'riscv64' : 's390x'
    await expect(make([], { architecture })).rejects.toMatchObject({ code: 'C2M_SANDBOX_ARCHITECTURE', exitCode: 3 })
  })

  it('leaves nothing whenever it is interrupted', async () => {
    const before = await traces()
    for (let delay = 0; delay < 300; delay += 30) {
      const signal = AbortSignal.timeout(delay)
      const work = delay % 60 === 0 ? 'disk' : 'memory'
      // a base of its own, so that unpacking is interrupted too
      const running = make([exec('busybox sleep 5')], { baseId: `mini${delay}` }, { signal, work })
      await expect(running).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
    }
    expect(await traces()).toEqual(before)
  })
}

/** Processes on this host that have the word among their arguments. */
export async function processes(word: string): Promise<number> {
  let count = 0
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
    if (line.split('\0').includes(word)) count++
  }
  return count
}
