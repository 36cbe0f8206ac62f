import { C2mError } from '@c2m/process'
import { Config } from '@oclif/core'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, expect, it, vi } from 'vitest'
import { BaseCommand } from './base-command.js'

const HOSTILE = 'a\x1b[31mRED\nwarning: fake'
const HIDDEN = 'x\u202ecod.exe\u2066\u2028\x9b2J\u{e0041}'

class Probe extends BaseCommand {
  async run(): Promise<object> {
    const { flags } = await this.parse(Probe)
    this.outputIsStdout = flags.quiet === true
    this.log(HOSTILE)
    if (flags.config !== undefined)
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' })
    if (flags.verbose) throw new C2mError('C2M_TEST', HOSTILE, { hint: HOSTILE })
    return { name: HOSTILE, [HIDDEN]: HIDDEN }
  }
}

let config: Config
beforeAll(async () => {
  config = await Config.load(fileURLToPath(new URL('..', import.meta.url)))
})

async function run(...argv: string[]) {
  const said = { stdout: '', stderr: '' }
  vi.spyOn(console, 'log').mockImplementation((line: string) => void (said.stdout += `${line}\n`))
  vi.spyOn(console, 'error').mockImplementation((line: string) => void (said.stderr += `${line}\n`))
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    said.stderr += String(chunk)
    return true
  })
  const { exitCode } = process
  await (new Probe(argv, config) as unknown as { _run(): Promise<unknown> })._run()
  process.exitCode = exitCode
  return said
}

afterEach(() => {
  vi.restoreAllMocks()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(name)
})

it('shows control characters instead of printing them', async () => {
  expect(await run()).toEqual({ stdout: 'a\\x1b[31mRED\nwarning: fake\n', stderr: '' })
  expect((await run('--verbose')).stderr).toBe(
    'error: a\\x1b[31mRED\n  warning: fake\n  → a\\x1b[31mRED\n  warning: fake\n  (C2M_TEST)\n',
  )
})

it('gives with --json what was meant', async () => {
  const { stdout, stderr } = await run('--json')
  expect([JSON.parse(stdout), stderr]).toEqual([{ name: HOSTILE, [HIDDEN]: HIDDEN }, ''])
  expect(stdout).toContain('x\\u202ecod.exe\\u2066\\u2028\\u009b2J\\udb40\\udc41')
  expect(stdout).toMatch(/^[\n\x20-\x7e]*$/)
})

it('leaves standard output to what the command makes', async () => {
  expect(await run('--quiet')).toEqual({ stdout: '', stderr: 'a\\x1b[31mRED\nwarning: fake\n' })
  const { stdout, stderr } = await run('--quiet', '--json')
  expect([stdout, stderr.split('\n').length, JSON.parse(stderr)]).toEqual(['', 2, { name: HOSTILE, [HIDDEN]: HIDDEN }])
  expect(stderr).toMatch(/^[\x20-\x7e]*\n$/)
})

it('says an error of the system that nothing else named', async () => {
  expect((await run('--config', 'x')).stderr).toContain('error: cannot read a file: input/output error\n')
})
