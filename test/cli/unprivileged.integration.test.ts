import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { debian12Machine } from '../support/debian.js'
import { asOrdinaryUser, CHECKOUT, isRoot } from '../support/ordinary-user.js'
import { ROOT } from '../support/paths.js'

describe('an ordinary user', () => {
  let home = ''
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'c2m-home-'))
    await chmod(home, 0o755)
  })
  // what subordinate ids own can be deleted by root, or through c2m's own prune
  afterAll(() => rm(home, { recursive: true, force: true }))

  it('converts an image without loop devices and without a mount outside its own namespaces', async () => {
    // an image with a kernel: following each call of a kernel's installation takes minutes
    const image = `${CHECKOUT}${relative(ROOT, await debian12Machine())}`
    const trace = join(home, 'trace')
    const calls = 'mount,umount2,pivot_root,move_mount,unshare,clone,clone3,fork,vfork,setns,openat,open'
    const tracer = ['strace', '-f', '-qq', '--pidns-translation', '-o', trace, '-e', `trace=${calls}`]
    const [program = process.execPath, ...prefix] = await asOrdinaryUser(home, tracer)
    const disk = join(home, 'web.qcow2')
    const cli = [process.execPath, `${CHECKOUT}packages/cli/bin/run.js`]
    const words = ['container2vm', `oci:${image}`, '-o', disk, '--hostname', 'web']
    const env = { ...process.env, C2M_CACHE_DIR: join(home, 'cache') }
    const result = spawnSync(program, [...prefix, ...cli, ...words], { encoding: 'utf8', env, cwd: home })
    expect(`${result.stdout}${result.stderr}`).toContain('web.qcow2: qcow2')
    expect(result.status).toBe(0)
    if (process.getuid?.() === 0) expect((await stat(disk)).uid).not.toBe(0)

    const { outside, inside, loops } = judge(await readFile(trace, 'utf8'))
    expect(loops).toEqual([])
    expect(outside).toEqual([])
    expect(inside.length).toBeGreaterThan(5) // the trace did see the sandbox's mounts

    const prune = spawnSync(program, [...prefix, ...cli, 'cache', 'prune'], {
      encoding: 'utf8',
      env,
      cwd: home,
    })
    expect(prune.stdout).toContain('freed')
  })
})

describe.skipIf(!isRoot)('a user without an account or a home', () => {
  it('is told what is missing, as anybody', () => {
    const env = { PATH: process.env.PATH }
    const program = [process.execPath, `${ROOT}packages/cli/bin/run.js`]
    const result = spawnSync('setpriv', [...NOBODY, ...program, 'inspect', 'oci:no-such-image'], {
      encoding: 'utf8',
      env,
    })
    expect(result.stderr).toMatch(/\(C2M_\w+\)/)
    expect(result.stderr).not.toContain('    at ')
  })
})
const NOBODY = ['--reuid=77777', '--regid=77777', '--clear-groups']

/** Reads a trace: mounts by processes that entered a mount namespace of their own, or descend from one, are inside. */
function judge(text: string): { outside: string[]; inside: string[]; loops: string[] } {
  const parents = new Map<string, string>()
  const own = new Set<string>()
  const mounts: { pid: string; line: string }[] = []
  const loops: string[] = []
  for (const line of text.split('\n')) {
    const match = /^(\d+)\s+(?:<\.\.\. )?(\w+)(.*)$/.exec(line)
    if (match === null) continue
    const [, pid = '', call = '', rest = ''] = match
    // a process id as its own namespace counts, and in a comment as the tracer does
    const [, plain, translated] = /= (\d+)(?: \/\* (\d+) in strace's PID NS \*\/)?$/.exec(rest) ?? []
    const child = translated ?? plain
    if (/^(clone3?|fork|vfork)$/.test(call) && child !== undefined) parents.set(child, pid)
    if (/CLONE_NEWNS/.test(rest)) own.add(call === 'unshare' ? pid : (child ?? pid))
    if (/^(mount|umount2|pivot_root|move_mount)$/.test(call) && rest.startsWith('(')) mounts.push({ pid, line })
    if (/"\/dev\/(loop|nbd)/.test(rest)) loops.push(line)
  }
  const isInside = (pid: string | undefined): boolean =>
    pid !== undefined && (own.has(pid) || isInside(parents.get(pid)))
  const lines = (wanted: boolean) => mounts.filter(({ pid }) => isInside(pid) === wanted).map(({ line }) => line)
  return { outside: lines(false), inside: lines(true), loops }
}
