import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'

describe('an error that nobody waits for', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-stray-'))
    await mkdir(join(folder, 'bin'))
    // a machine that sends a beginning, and nothing more
    const ssh = `#!/bin/sh\necho $$ >${folder}/pid\nhead -c 1000 /dev/zero\nexec sleep 600\n`
    await writeFile(join(folder, 'bin/ssh'), ssh)
    await chmod(join(folder, 'bin/ssh'), 0o755)
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  /** Runs c2m with a script that is loaded before it. */
  async function run(script: string, args: readonly string[]) {
    const path = join(folder, 'before.mjs')
    await writeFile(
      path,
      `import { existsSync } from 'node:fs'\nif (process.argv[1]?.endsWith('run.js')) {\n${script}\n}\n`,
    )
    const cache = join(folder, 'cache')
    const env = {
      C2M_CACHE_DIR: cache,
      PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}`,
      NODE_OPTIONS: `--import=${pathToFileURL(path).href}`,
    }
    const result = await c2m(args, { cwd: folder, env })
    return { ...result, left: await readdir(join(cache, 'temporary')).catch(() => []) }
  }

  /** While the machine is read. */
  const meanwhile = (statement: string) => `const timer = setInterval(() => {
  if (!existsSync('${folder}/pid')) return
  clearInterval(timer)
  ${statement}
}, 20)`

  async function expectNoProgram(): Promise<void> {
    const pid = (await readFile(join(folder, 'pid'), 'utf8')).trim()
    // a dead one may still be there, without its command, until its parent asks
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).toBe('')
  }

  const MACHINE = ['vm2container', 'ssh://machine', '-o', 'docker-archive:out.tar']
  const throwTypeError = `throw new TypeError('x is not a function')`

  it.each([
    ['is thrown by a timer', throwTypeError],
    ['is thrown by an event handler', `process.nextTick(() => { ${throwTypeError} })`],
    ['rejects a promise', `Promise.reject(new TypeError('x is not a function'))`],
    [
      'comes twice',
      `Promise.reject(new TypeError('x is not a function')); setImmediate(() => { throw new Error('y') })`,
    ],
  ])('and %s ends the run in order', async (_, throwing) => {
    const { code, stdout, stderr, left } = await run(meanwhile(throwing), MACHINE)
    expect([code, stdout, left]).toEqual([1, '', []])
    expect(stderr).toMatch(
      /^error: this should not happen: x is not a function\n {2}→ DEBUG=\* shows where; .*\n {2}\(C2M_BUG\)\n$/,
    )
    expect(stderr).not.toMatch(/\n\s+at |interrupted/)
    expect(await readdir(folder)).not.toContain('out.tar')
    await expectNoProgram()
  })

  it('is one object with --json', async () => {
    const { code, stdout, left } = await run(meanwhile(throwTypeError), [...MACHINE, '--json'])
    expect([code, left]).toEqual([1, []])
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'C2M_BUG', message: 'this should not happen: x is not a function' },
    })
  })

  it('keeps the code that it has', async () => {
    const error = `Object.assign(new Error('the disk is on fire'), { code: 'C2M_FIRE', hint: 'run', exitCode: 3 })`
    const { code, stdout } = await run(meanwhile(`throw ${error}`), [...MACHINE, '--json'])
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'C2M_FIRE', message: 'the disk is on fire', hint: 'run' } })
  })

  it('is reported when the work is done nevertheless, or has not begun', async () => {
    await writeFile(join(folder, 'empty.tar'), Buffer.alloc(10240))
    // as soon as the command, or the program before it, listens
    const once = (listeners: number, message: string) => `process.on('newListener', (name) => {
  if (name === 'uncaughtException' && process.listenerCount(name) === ${listeners}) Promise.reject(new Error('${message}'))
})`
    const done = await run(once(1, 'late'), ['inspect', 'empty.tar', '--json'])
    expect(done.code).toBe(1)
    expect(JSON.parse(done.stdout)).toMatchObject({
      error: { code: 'C2M_BUG', message: 'this should not happen: late' },
    })
    const begun = await run(once(0, 'early'), ['--help'])
    expect([begun.code, begun.stderr]).toEqual([
      1,
      expect.stringMatching(/^error: this should not happen: early\n.*\n {2}\(C2M_BUG\)\n$/),
    ])
  })

  it('ends a run that does not end in order', async () => {
    const deaf = 'AbortController.prototype.abort = () => undefined\n'
    const { code, stderr } = await run(deaf + meanwhile(throwTypeError), MACHINE)
    expect([code, stderr]).toEqual([1, expect.stringContaining('x is not a function')])
    await expectNoProgram()
  })
})
