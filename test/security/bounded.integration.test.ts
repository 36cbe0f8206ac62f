import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { writeTar, type TarInput } from '@c2m/rootfs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m, PROGRAM } from '../support/cli.js'

/** Seconds in which c2m is done with what is made to keep it busy, on a loaded machine. */
const SOON = 30
/** Milliseconds from Ctrl-C to the end; it takes a fraction of this on an idle machine. */
const AT_ONCE = 2500

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-bounded-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const OS_RELEASE = Buffer.from('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="D"\n')
const deep = (name: string, depth: number) => Array.from({ length: depth }, () => name).join('/')

function member(path: string, fields: Partial<TarInput> & { content?: Buffer } = {}): TarInput {
  const { content = Buffer.alloc(0), ...rest } = fields
  const type = fields.type ?? (path.endsWith('/') ? 'directory' : 'file')
  const body = {
    async *[Symbol.asyncIterator]() {
      if (content.length > 0) yield { offset: 0, data: content }
    },
  }
  const time = { seconds: 0, nanoseconds: 0 }
  const entry = {
    path,
    type,
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: time,
    size: content.length,
    xattrs: new Map(),
    ...rest,
  }
  return type === 'file' ? { ...entry, body } : entry
}

function* system(others: Iterable<TarInput>): Generator<TarInput> {
  yield member('etc/os-release', { content: OS_RELEASE })
  yield* others
}

async function tarball(name: string, members: Iterable<TarInput>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of writeTar(system(members))) chunks.push(chunk)
  const path = join(folder, `${name}.tar.gz`)
  await writeFile(path, gzipSync(Buffer.concat(chunks)))
  return `tarball:${path}`
}

/** 19 links, each through the 1000 directories of the one before: 30,000 names for one. */
function* farLinks(names: number): Generator<TarInput> {
  const way = `/${deep('a', 1000)}/${deep('..', 650)}`
  yield member(`${deep('a', 1000)}/`)
  for (let index = 0; index < 19; index++) {
    const next = index < 18 ? `/l${index + 1}` : '/etc'
    yield member(`l${index}`, { type: 'symlink', linkTarget: (way + next).slice(0, 4095) })
    yield member(`${deep('a', 350)}/l${index}`, { type: 'symlink', linkTarget: `/l${index}` })
  }
  for (let index = 0; index < names; index++) yield member(`l0/f${index}`)
}

function* deepPaths(count: number): Generator<TarInput> {
  for (let index = 0; index < count; index++) yield member(`${deep(index % 2 === 0 ? 'b' : 'a', 2040)}/${index}`)
}

async function inspected(target: string, env: NodeJS.ProcessEnv = {}) {
  const started = performance.now()
  const result = await c2m(['inspect', target], { env })
  expect((performance.now() - started) / 1000).toBeLessThan(SOON)
  expect(result.stderr).not.toContain('C2M_BUG')
  return result
}

describe('inputs that are made to take long or much', () => {
  it('links that multiply the way are refused', async () => {
    const { code, stderr } = await inspected(await tarball('links', farLinks(2000)))
    expect(code).toBe(1)
    expect(stderr).toContain('C2M_LINKS_TOO_LONG')
  })

  it('many deep paths are read', async () => {
    expect((await inspected(await tarball('deep', deepPaths(5000)))).code).toBe(0)
  })

  it('attributes whose names take more than Linux lists are refused, with little memory', async () => {
    const xattrs = new Map(Array.from({ length: 20_000 }, (_, index) => [`user.${index}`, new Uint8Array()]))
    const files = Array.from({ length: 40 }, (_, index) => member(`f${index}`, { xattrs }))
    const { code, stderr } = await inspected(await tarball('attributes', files), {
      NODE_OPTIONS: '--max-old-space-size=200',
    })
    expect(code).toBe(1)
    expect(stderr).toContain('C2M_ATTRIBUTE_NAMES')
  })

  it('more entries than memory holds are refused, with the same memory', async () => {
    const files = Array.from({ length: 300_000 }, (_, index) =>
      member(`h${index}`, { type: 'hardlink', linkTarget: 'etc/os-release' }),
    )
    const { code, stderr } = await inspected(await tarball('entries', files), {
      NODE_OPTIONS: '--max-old-space-size=200',
    })
    expect(code).toBe(1)
    expect(stderr).toContain('C2M_TREE_TOO_LARGE')
  })

  it('a VMDK descriptor with a long value is read or refused', async () => {
    const path = join(folder, 'long.vmdk')
    await writeFile(path, `# Disk DescriptorFile\nversion=1\ncreateType=${' '.repeat(500_000)}"x"y\n`)
    expect((await inspected(path)).code).not.toBe(130)
  })

  it('units with long names of directories are read', async () => {
    const unit = `[Service]\nExecStart=/bin/x\nStateDirectory=a${'/'.repeat(400_000)}x\n`
    const files = [
      member('etc/systemd/system/multi-user.target.wants/x.service', { type: 'symlink', linkTarget: '../x.service' }),
      member('etc/systemd/system/x.service', { content: Buffer.from(unit) }),
      member('lib/systemd/systemd', { content: Buffer.from('x') }),
      member('lib/systemd/system/default.target', { content: Buffer.from('[Unit]\nRequires=multi-user.target\n') }),
      member('lib/systemd/system/multi-user.target', { content: Buffer.from('[Unit]\n') }),
      member('bin/x', { content: Buffer.from('x') }),
    ]
    const started = performance.now()
    const { stderr } = await c2m([
      'vm2container',
      await tarball('unit', files),
      '--dry-run',
      '-o',
      `oci:${join(folder, 'unit')}`,
    ])
    expect(stderr).not.toContain('C2M_BUG')
    expect((performance.now() - started) / 1000).toBeLessThan(SOON)
  })

  it('a file system whose /etc is such a chain of links is refused', async () => {
    const top = join(folder, 'root')
    await mkdir(join(top, deep('a', 1000)), { recursive: true })
    await mkdir(join(top, 'real'))
    await writeFile(join(top, 'real/os-release'), OS_RELEASE)
    const way = `/${deep('a', 1000)}/${deep('..', 650)}`
    for (let index = 0; index < 19; index++) {
      await symlink(`${way}/${index < 18 ? `l${index + 1}` : 'real'}`, join(top, `l${index}`))
      if (index > 0) await symlink(`/l${index}`, join(top, deep('a', 350), `l${index}`))
    }
    await symlink('/real', join(top, deep('a', 350), 'real'))
    await symlink('/l0', join(top, 'etc'))
    const image = join(folder, 'root.img')
    execFileSync('truncate', ['-s', '64M', image])
    execFileSync('mkfs.ext4', ['-q', '-F', '-b', '4096', '-d', top, image])
    const { stdout, stderr } = await inspected(image)
    expect(stdout + stderr).toContain('takes more than 4096 names')
  })
})

describe('Ctrl-C while much is read', () => {
  it('ends the run at once, whatever it is doing', async () => {
    const target = await tarball('long', deepPaths(30_000))
    const codes: (number | null)[] = []
    for (const moment of [1500, 2500, 4000]) {
      const env = { ...process.env, C2M_CACHE_DIR: join(folder, `cache-${moment}`) }
      const child = spawn(process.execPath, [PROGRAM, 'inspect', target], { env, stdio: 'ignore' })
      const ended = once(child, 'exit') as Promise<[number | null]>
      await Promise.race([ended, setTimeout(moment)])
      const stopped = performance.now()
      child.kill('SIGINT')
      const [code] = await ended
      codes.push(code)
      expect(performance.now() - stopped).toBeLessThan(AT_ONCE)
    }
    expect(codes).toContain(130)
    expect(codes.every((code) => code === 130 || code === 0)).toBe(true)
  })
})

describe('a file with a large hole', () => {
  it('is unpacked with its hole', async () => {
    const path = join(folder, 'sparse.tar.gz')
    await writeFile(path, gzipSync(await sparseTar(2 ** 40)))
    const cache = join(folder, 'sparse-cache')
    const started = performance.now()
    const { stderr } = await c2m(['shell', `tarball:${path}`, '--', '/nothing'], { env: { C2M_CACHE_DIR: cache } })
    expect((performance.now() - started) / 1000).toBeLessThan(SOON)
    expect(stderr).not.toContain('C2M_BUG')
    const used = execFileSync('du', ['-sk', cache], { encoding: 'utf8' })
    expect(Number(used.split('\t')[0])).toBeLessThan(10 * 1024)
  })

  it('is refused when it is larger than any file system takes', async () => {
    const path = join(folder, 'huge.tar.gz')
    await writeFile(path, gzipSync(await sparseTar(2 ** 52)))
    const env = { C2M_CACHE_DIR: join(folder, 'huge-cache') }
    const { code, stderr } = await c2m(['shell', `tarball:${path}`, '--', '/nothing'], { env })
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/C2M_IMAGE_TOO_LARGE|C2M_SANDBOX|C2M_TOOL_MISSING/)
  })
})

async function sparseTar(size: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of writeTar(system([member('big', { size, sparse: [] })]))) chunks.push(chunk)
  return Buffer.concat(chunks)
}
