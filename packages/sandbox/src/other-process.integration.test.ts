import { execFileSync, spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ExecStep } from '@c2m/plugin-api'
import { findTool } from '@c2m/process'
import { parseRanges } from './namespace/id-mapping.js'
import { checkSandbox } from './namespace/check.js'
import { CHANGES, EXPECTED, processes } from './testing/suite.js'
import { EPOCH, busybox, describeLayer, exec, miniTree, writeMembers } from './testing/tree.js'

const program = await busybox()
const verdict = await checkSandbox('userns')
const usable = verdict.ok && program !== undefined
if (!usable) console.warn('SKIPPED: tests of the sandbox in other processes need user namespaces and busybox-static')

/** Runs the sandbox with the built packages; base, output, cache, steps as arguments. */
const SCRIPT = `
  const { indexLayer, mergeLayers } = await import('${import.meta.resolve('@c2m/rootfs')}')
  const { runSandbox, pruneCache } = await import('${new URL('../dist/index.js', import.meta.url).href}')
  const [base, output, cache, steps] = process.argv.slice(1)
  if (steps === undefined) {
    console.log(await pruneCache(cache))
  } else {
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch
    const task = { baseId: 'mini', architecture, steps: JSON.parse(steps), packageCaches: [], cacheGroup: 't', sourceDateEpoch: ${EPOCH} }
    await runSandbox({ ...task, base: await mergeLayers([await indexLayer(base)]) }, output, { cache, mode: 'userns', work: 'disk' })
  }
`

/** Somebody with subordinate ids: this user, or when it is root, one of /etc/subuid. */
async function ordinaryUser(): Promise<{ name: string; prefix: string[] } | undefined> {
  if (process.getuid?.() !== 0) return { name: userInfo().username, prefix: [] }
  const ranges = parseRanges(await readFile('/etc/subuid', 'utf8').catch(() => ''))
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':')[0])
  const name = ranges.find(({ owner, count }) => owner !== 'root' && count >= 65536 && accounts.includes(owner))?.owner
  if (name === undefined || (await findTool('runuser')) === undefined) return undefined
  return { name, prefix: ['runuser', '--user', name, '--'] }
}

const user = await ordinaryUser()
const reachable = user !== undefined && canRead(user.prefix)
if (usable && !reachable)
  console.warn('SKIPPED: no ordinary user with subordinate ids (/etc/subuid) who may read this checkout')

function canRead(prefix: readonly string[]): boolean {
  const [file = '', ...args] = [
    ...prefix,
    process.execPath,
    '--input-type=module',
    '--eval',
    `await import('${import.meta.resolve('@c2m/rootfs')}')`,
  ]
  try {
    execFileSync(file, args, { stdio: 'ignore', cwd: '/' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!usable)('the sandbox in another process', () => {
  let folder = ''
  let open = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-sandbox-other-'))
    await chmod(folder, 0o711)
    await writeMembers(join(folder, 'base.tar'), miniTree(program!))
    open = await mkdtemp(join(folder, 'open-'))
    await chmod(open, 0o1777)
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const start = (prefix: readonly string[], steps?: readonly ExecStep[]) => {
    const places = [join(folder, 'base.tar'), join(open, 'layer.tar'), join(open, 'cache')]
    const node = [process.execPath, '--input-type=module', '--eval', SCRIPT, '--', ...places]
    const [file = '', ...args] = [...prefix, ...node, ...(steps === undefined ? [] : [JSON.stringify(steps)])]
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: '/' })
    return { child, ended: new Promise<number | null>((resolve) => child.once('exit', resolve)) }
  }

  it.skipIf(!reachable)('gives an ordinary user the same layer, and lets him delete the cache', async () => {
    expect(await start(user!.prefix, [exec(CHANGES)]).ended).toBe(0)
    expect(await describeLayer(join(open, 'layer.tar'))).toEqual([...EXPECTED].sort())
    const bases = (await readdir(join(open, 'cache'), { recursive: true })).filter((path) =>
      path.endsWith('etc/changed'),
    )
    // a checkout's owner may not look into it, but root may
    if (process.getuid?.() === 0) expect(bases).toHaveLength(1)
    expect(await start(user!.prefix).ended).toBe(0)
    // what is left is his alone
    const [file = '', ...args] = [...user!.prefix, 'rm', '-r', join(open, 'cache')]
    execFileSync(file, args, { stdio: 'ignore' })
  })

  it('ends with a killed c2m, whose remains the next run sweeps', async () => {
    const mark = `45654${process.pid}`
    const { child, ended } = start([], [exec(`echo x > /etc/x; busybox sleep ${mark}`)])
    for (let i = 0; (await processes(mark)) === 0 && i < 200; i++) await sleep(50)
    expect(await processes(mark)).toBeGreaterThan(0)
    child.kill('SIGKILL')
    await ended
    for (let i = 0; (await processes(mark)) > 0 && i < 40; i++) await sleep(50)
    expect(await processes(mark)).toBe(0)
    const remains = async () =>
      (await readdir(join(open, 'cache', 'sandbox'), { recursive: true })).filter((path) =>
        /\/(work|mini)\.\d+\.\d+-[^/]*$/.test(path),
      )
    expect(await remains()).toHaveLength(2)
    expect(await start([], [exec('true')]).ended).toBe(0)
    expect(await remains()).toEqual([])
    expect(await describeLayer(join(open, 'layer.tar'))).toEqual([])
    expect(await start([]).ended).toBe(0)
  })
})
