import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findTool, run } from '@c2m/process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PROGRAM } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { unpackOnlyLayer } from '../support/layout.js'
import { CACHE, ROOT } from '../support/paths.js'

const PROBE = join(ROOT, 'test/security/probe.pl')
const usable = process.getuid?.() === 0 && process.arch === 'x64' && (await findTool('perl')) !== undefined
if (!usable)
  console.warn('SKIPPED: the comparison of sandboxes needs root, x86-64 and perl (apt-get install perl-base)')

/** A caller with a key in its session keyring and an open directory of the host, as terminals and supervisors leave them. */
const CARELESS = `
use POSIX ();
my ($type, $name, $secret) = ("user\\0", "c2m-probe\\0", 'SESSION-SECRET');
syscall(250, 1, 0) >= 0 or die "keyctl: $!";
syscall(248, $type, $name, $secret, length $secret, -3) >= 0 or die "add_key: $!";
open(my $host, '<', '/') or die;
POSIX::dup2(fileno($host), 30);
exec @ARGV;
`

/** Runs the probe as a step of the package step; arguments: layer, cache, probe, its arguments, network. */
const STEP = `
const { readFile } = await import('node:fs/promises')
const { indexLayer, mergeLayers } = await import('${import.meta.resolve('@c2m/rootfs')}')
const { runSandbox } = await import('${import.meta.resolve('@c2m/sandbox')}')
const [layer, cache, probe, port, name, network] = process.argv.slice(1)
const base = await mergeLayers([await indexLayer(layer)])
const steps = [
  { do: 'temporaryFile', title: 'probe', path: '/opt/probe.pl', content: await readFile(probe, 'utf8'), mode: 0o755 },
  { do: 'exec', title: 'probe', argv: ['perl', '/opt/probe.pl', port, name], in: 'guest' },
]
const reporter = { detail: (line) => process.stdout.write(line + '\\n'), info() {}, warn() {}, stage: () => () => {} }
const task = { base, baseId: 'probe', architecture: 'amd64', steps, packageCaches: [], cacheGroup: 't', sourceDateEpoch: 0 }
await runSandbox(task, layer + '.result', { cache, mode: 'userns', reporter, network })
`

type Row = ReadonlyMap<string, string>

describe.skipIf(!usable)('what a program of an image reaches', () => {
  let folder = ''
  let server: Server
  let abstract: ChildProcess
  let layer = ''
  let image = ''
  const name = `c2m-probe-${process.pid}`
  const rows: Record<string, Row> = {}

  const careless = async (argv: readonly string[]): Promise<Row> => {
    const { stdout, stderr } = await run('perl', ['-e', CARELESS, '--', ...argv], {
      env: { ...process.env, C2M_CACHE_DIR: CACHE },
    })
    const lines = stdout.split('\n').flatMap((line) => {
      const at = line.startsWith('probe: ') ? -1 : line.indexOf(': ')
      return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 2)] as const]
    })
    if (lines.length < 20) throw new Error(`the probe failed: ${stdout}${stderr}`)
    return new Map(lines)
  }
  const port = () => String((server.address() as AddressInfo).port)
  const step = (network: string) => {
    const node = [process.execPath, '--input-type=module', '--eval', STEP, '--']
    return careless([...node, layer, join(folder, 'cache'), PROBE, port(), name, network])
  }
  const shell = (network: string) =>
    careless([
      ...[process.execPath, PROGRAM, 'shell', image, '--net', network, '-v', `${PROBE}:/opt/probe.pl:ro`],
      ...['--', 'perl', '/opt/probe.pl', port(), name],
    ])

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-security-'))
    server = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const listen = `use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0); bind($s, pack_sockaddr_un("\\0${name}")) or die; listen($s, 5); print "on\\n"; accept(my $c, $s) while 1`
    abstract = spawn('perl', ['-e', `$| = 1; ${listen}`], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve) => abstract.stdout?.once('data', resolve))
    const layout = await debian12()
    image = `oci:${layout}`
    layer = join(folder, 'layer.tar')
    await unpackOnlyLayer(layout, layer)
    rows['package step'] = await step('http')
    rows['package step, --net host'] = await step('host')
    rows['c2m shell'] = await shell('http')
    const podman = await podmanRow(folder, layout, [port(), name]).catch((error: unknown) => {
      console.warn(`SKIPPED: podman's row: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    })
    if (podman !== undefined) rows.podman = podman
    console.log(table(rows))
  })
  afterAll(async () => {
    server?.close()
    abstract?.kill()
    await rm(folder, { recursive: true, force: true })
  })

  const both = ['package step', 'package step, --net host', 'c2m shell']

  it.each(both)('%s: filtered system calls, no new privileges, few capabilities', (name) => {
    const row = rows[name]
    expect(row?.get('seccomp')).toBe('2')
    expect(row?.get('nonewprivs')).toBe('1')
    // chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, sys_chroot, setfcap
    expect(row?.get('capbnd')).toBe('00000000800405fb')
    expect(row?.get('capeff')).toBe('00000000800405fb')
    for (const call of [
      'keyctl',
      'bpf',
      'perf_event_open',
      'userfaultfd',
      'io_uring',
      'new user namespace',
      'remount /sys',
    ])
      expect(row?.get(call), call).toBe('refused (Operation not permitted)')
    for (const family of ['AF_VSOCK', 'AF_ALG']) expect(row?.get(family), family).toMatch(/^refused/)
  })

  it.each(both)('%s: nothing of the caller', (name) => {
    const row = rows[name]
    expect(row?.get("secret of the caller's keyring")).toMatch(/^not found/)
    expect(row?.get('open descriptors')).toBe('')
  })

  it.each(both)('%s: nothing of the kernel but what programs need', (name) => {
    const row = rows[name]
    for (const path of ['/proc/keys', '/proc/kallsyms', '/sys/firmware']) expect(row?.get(path), path).toBe('masked')
    for (const path of ['write /proc/sys', 'write /sys']) expect(row?.get(path), path).toMatch(/^refused/)
    expect(Number(row?.get('processes of one user'))).toBeLessThanOrEqual(4096)
  })

  it.each(both)('%s: nothing of the first process', (name) => {
    const row = rows[name]
    for (const what of ['descriptors', 'root', 'ptrace'])
      expect(row?.get(`${what} of process 1`), what).toMatch(/^(?:refused|is this program)/)
  })

  it('keeps the host’s loopback device and abstract sockets away unless they are asked for', () => {
    for (const what of ["service on the host's loopback device", 'abstract socket of the host']) {
      expect(rows['package step']?.get(what)).toMatch(/^not reached/)
      expect(rows['c2m shell']?.get(what)).toMatch(/^not reached/)
      expect(rows['package step, --net host']?.get(what)).toBe('reached')
    }
  })

  it('is nowhere weaker than podman', () => {
    if (rows.podman === undefined) return
    for (const [what, value] of rows.podman) {
      if (/^(?:refused|not reached|not found|masked)/.test(value))
        expect(rows['package step']?.get(what), what).toMatch(
          /^(?:refused|not reached|not found|masked|is this program)/,
        )
    }
  })
})

/** The same probe by the real podman, in a store of its own, with limits that this host lets it set. */
async function podmanRow(folder: string, layout: string, args: readonly string[]): Promise<Row> {
  const archive = join(folder, 'image.tar')
  await run('skopeo', ['copy', '--quiet', `oci:${layout}`, `docker-archive:${archive}:probe:1`])
  const store = ['--root', join(folder, 'podman'), '--runroot', join(folder, 'podman-run')]
  const podman = [...store, '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none']
  await run('podman', [...podman, 'load', '--quiet', '--input', archive])
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=2048:2048']
  const command = ['--volume', `${PROBE}:/opt/probe.pl:ro`, 'probe:1', 'perl', '/opt/probe.pl', ...args]
  const attempts = [[], ['--runtime', 'runc'], ['--cgroups', 'disabled']]
  let failure: unknown
  for (const attempt of attempts) {
    const [before, after] = attempt[0] === '--cgroups' ? [[], attempt] : [attempt, []]
    try {
      const { stdout } = await run('podman', [...podman, ...before, 'run', '--rm', ...after, ...limits, ...command])
      const lines = stdout.split('\n').filter((line) => line.includes(': '))
      return new Map(lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]))
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

function table(rows: Readonly<Record<string, Row>>): string {
  const columns = Object.keys(rows)
  const names = [...(rows['package step'] ?? new Map<string, string>()).keys()]
  const cells = [
    ['', ...columns],
    ...names.map((name) => [name, ...columns.map((column) => rows[column]?.get(name) ?? '')]),
  ]
  const widths = cells[0]?.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0))) ?? []
  return cells
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
