import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ImagePlan } from '@c2m/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m, c2mOk } from '../support/cli.js'
import { vm2container } from './support/convert.js'
import { smallMachine } from './support/small-machine.js'
import { lacks, tool } from './support/tools.js'

const missing = lacks('reports of what became of a machine', { mke2fs: 'e2fsprogs', python3: 'python3' })

describe.skipIf(missing)('the report', () => {
  let folder = ''
  let disk = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-report-'))
    disk = await smallMachine(folder)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function plan(...flags: string[]): Promise<ImagePlan> {
    return JSON.parse((await c2mOk(['vm2container', disk, '--dry-run', '--json', ...flags])).stdout) as ImagePlan
  }

  /** Converts; what is in the tar, and the result. */
  async function convert(...flags: string[]) {
    const tar = join(folder, 'out.tar')
    const { result, stderr } = await vm2container([disk, '-o', `tarball:${tar}`, '--force', ...flags])
    const names = (await tool('tar', ['-tf', tar])).split('\n').map((name) => name.replace(/^\.\//, ''))
    const read = (path: string) => tool('tar', ['-xOf', tar, names.includes(path) ? path : `./${path}`])
    return { ...result, stderr, names: new Set(names), read }
  }

  it('is one object, with what was found and what was decided', async () => {
    const { names, read, ...result } = await convert()
    expect(names.has('srv/plain')).toBe(true)
    expect(await read('srv/plain')).toBe('x')
    expect(result).toMatchObject({
      destination: join(folder, 'out.tar'),
      nextCommand: expect.stringContaining('docker import') as string,
      layers: [
        { digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string, mediaType: expect.any(String) as string },
      ],
      plan: {
        root: 'the whole disk (ext4)',
        reasons: expect.arrayContaining([expect.stringMatching(/^\+50 /) as string]) as string[],
        mounts: [],
        os: 'Debian GNU/Linux 12 (bookworm)',
        distro: { id: 'debian', plugin: '@c2m/plugin-debian' },
        architecture: 'amd64',
        created: '2024-05-06T07:08:09Z',
        secretsExcluded: false,
        services: [],
      },
    })
    const { cleaning } = result.plan
    const rule = (id: string) => cleaning.find((one) => one.id === id)
    expect(rule('kernel')).toMatchObject({ applied: true, because: 'default', removed: 1, bytes: 6 })
    expect(rule('kernel')?.samples).toEqual(['boot/vmlinuz-6.1'])
    expect(rule('histories')).toMatchObject({ applied: true, removed: 1, samples: ['home/me/.bash_history'] })
    expect(rule('mail')).toMatchObject({ applied: false, removed: 1, bytes: 9 })
  })

  it('writes events, one object a line, while it works', async () => {
    const { stderr } = await convert()
    const events = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; title?: string })
    const stages = events.filter(({ event }) => event === 'stage').map(({ title }) => title)
    expect(stages).toEqual([`read ${disk}`, 'find what stays behind', `write tarball:${join(folder, 'out.tar')}`])
  })

  it('lists secrets before anything is written', async () => {
    const { stderr, plan: decided } = await convert()
    const found = decided.secrets.map(({ path, kind }) => [path, kind])
    expect(found).toEqual([
      ['etc/shadow', 'password hash'],
      ['home/me/.aws/credentials', 'cloud credentials'],
      ['home/me/.ssh/id_ed25519', 'private key'],
    ])
    expect(stderr).not.toContain('aws_secret')
    const listed = stderr.indexOf('/home/me/.ssh/id_ed25519 (private key)')
    expect(listed).toBeGreaterThan(0)
    expect(listed).toBeLessThan(stderr.indexOf('"title":"write '))
  })

  it('--exclude-secrets leaves them out, and locks the passwords', async () => {
    const { names, read, plan: decided } = await convert('--exclude-secrets', '--keep', 'histories')
    for (const path of ['home/me/.aws/credentials', 'home/me/.ssh/id_ed25519', 'home/me/.bash_history'])
      expect(names.has(path)).toBe(false)
    const lines = (await read('etc/shadow')).trim().split('\n')
    expect(lines.map((line) => line.split(':')[1])).toEqual(['*', '*', '*'])
    expect(lines[0]).toBe('root:*:19000:0:99999:7:::')
    expect(decided.secretsExcluded).toBe(true)
    expect(decided.cleaning.find(({ id }) => id === 'secrets')).toMatchObject({ applied: true, removed: 3 })
  })

  it('--exclude, --clean and --keep decide what goes', async () => {
    const { names, plan: decided } = await convert(
      ...['--exclude', '/home/*/work/*.tmp', '--exclude', 'srv/pla*', '--clean', 'mail', '--keep', 'kernel'],
    )
    expect(names.has('home/me/work/keep.txt')).toBe(true)
    for (const path of ['home/me/work/drop.tmp', 'srv/plain', 'var/mail/me']) expect(names.has(path)).toBe(false)
    expect(names.has('boot/vmlinuz-6.1')).toBe(true)
    const rule = (id: string) => decided.cleaning.find((one) => one.id === id)
    expect(rule('exclude')).toMatchObject({ removed: 2, samples: ['home/me/work/drop.tmp', 'srv/plain'] })
    expect(rule('mail')).toMatchObject({ applied: true, because: 'asked' })
    expect(rule('kernel')).toMatchObject({ applied: false, because: 'asked' })
  })

  it.each([
    ['--clean', 'C2M_UNKNOWN_CLEANING_RULE', 'kernle', 'kernel, '],
    ['--keep', 'C2M_UNKNOWN_CLEANING_RULE', 'kernle', 'kernel, '],
    ['--exclude', 'C2M_GLOB_INVALID', `/${'{a,b}'.repeat(20)}`, 'shorten it'],
  ])('%s names what is wrong: %s', async (flag, code, value, hint) => {
    const result = await c2m(['vm2container', disk, '--dry-run', flag, value])
    expect(result.stderr).toContain(`(${code})`)
    expect(result.stderr).toContain(value)
    expect(result.stderr).toContain(hint)
    expect(result.code).toBe(2)
  })

  it('says what an image cannot hold', async () => {
    const { names, plan: decided } = await convert()
    expect(decided.leftOut).toEqual([
      { path: 'srv/.wh.gone', why: expect.stringContaining('.wh.') as string },
      { path: 'srv/socket', why: expect.stringContaining('socket') as string },
    ])
    expect(names.has('srv/.wh.gone')).toBe(false)
    expect(names.has('srv/pipe')).toBe(true)
  })

  it('a lastlog of a terabyte is emptied; kept, it is left out for its holes', async () => {
    const emptied = await convert()
    expect(await emptied.read('var/log/lastlog')).toBe('')
    expect(emptied.layers[0]!.size).toBeLessThan(1024 ** 2)
    const kept = await plan('--keep', 'login-records')
    const sparse = kept.cleaning.find(({ id }) => id === 'sparse')
    expect(sparse).toMatchObject({ applied: true, removed: 1, samples: ['var/log/lastlog'] })
    expect(kept.bytes).toBeLessThan(1024 ** 2)
    const verbatim = await c2mOk(['vm2container', disk, '--dry-run', '--keep', 'all'])
    expect(verbatim.stderr).toMatch(/holes are kept, .*: \/var\/log\/lastlog$/m)
  })

  it('as text, says the same in few lines', async () => {
    const { stdout, stderr } = await c2mOk(['vm2container', disk, '--dry-run'])
    expect(stdout).toMatch(/^system +Debian GNU\/Linux 12 \(bookworm\) \(amd64\)$/m)
    expect(stdout).toMatch(/^left behind$[^]*^ {2}kernel +6 B +1 entry: /m)
    expect(stdout).toMatch(/^kept \(--clean ID leaves it behind\)$[^]*^ {2}mail /m)
    expect(stdout).toMatch(/^runs +shell \(/m)
    expect(stderr).toContain('3 files look like secrets')
    expect(stderr).toContain('/srv/socket: ')
  })

  describe('c2m.config.yaml', () => {
    const at = async (text: string) => {
      const cwd = await mkdtemp(join(folder, 'config-'))
      await writeFile(join(cwd, 'c2m.config.yaml'), text)
      return async (...flags: string[]): Promise<ImagePlan> => {
        const named = ['--config', join(cwd, 'c2m.config.yaml')]
        const { stdout } = await c2mOk(['vm2container', disk, '--dry-run', '--json', ...named, ...flags], { cwd })
        return JSON.parse(stdout) as ImagePlan
      }
    }

    it('gives vm2container its defaults, those that are true among them', async () => {
      const decide = await at(
        'vm2container:\n  exclude-secrets: true\n  exclude: [/srv/plain]\n  keep: [kernel]\n  clean: [mail]\n  init: none\n',
      )
      const decided = await decide()
      expect(decided.secretsExcluded).toBe(true)
      expect(decided.init.id).toBe('none')
      const applied = (id: string) => decided.cleaning.find((one) => one.id === id)?.applied
      expect(['exclude', 'kernel', 'mail', 'secrets'].map(applied)).toEqual([true, false, true, true])
      expect((await decide('--init', 'shell', '--keep', 'mail')).init.id).toBe('shell')
    })

    it('says which key is not known, or has a wrong value', async () => {
      const cwd = await mkdtemp(join(folder, 'config-'))
      for (const [text, word] of [
        ['vm2container: { exclude-secrets: perhaps }', 'exclude-secrets'],
        ['vm2container: { keeep: [kernel] }', 'keeep'],
        ['vm2container: { compress: xz }', 'compress'],
      ] as const) {
        await writeFile(join(cwd, 'c2m.config.yaml'), text)
        const { code, stderr } = await c2m(['vm2container', disk, '--dry-run'], { cwd })
        expect(stderr).toContain('(C2M_CONFIG)')
        expect(stderr).toContain(word)
        expect(code).toBe(2)
      }
    })

    it('with split-layers and a compression writes such an image', async () => {
      const cwd = await mkdtemp(join(folder, 'config-'))
      await writeFile(join(cwd, 'c2m.config.yaml'), 'vm2container: { split-layers: true, compress: zstd, level: 3 }')
      const { result } = await vm2container([disk, '-o', 'oci:layout'], { cwd })
      expect(result.layers.map(({ mediaType }) => mediaType)).toEqual(
        Array(2).fill('application/vnd.oci.image.layer.v1.tar+zstd'),
      )
      expect(await readFile(join(cwd, 'layout', 'index.json'), 'utf8')).toContain('manifests')
    })
  })
})
