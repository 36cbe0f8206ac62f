import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'
import { smallMachine } from './support/small-machine.js'
import { lacks, shell, tool } from './support/tools.js'
import { stateOf } from './support/tree.js'

const tools = { mke2fs: 'e2fsprogs', 'qemu-img': 'qemu-utils', python3: 'python3' }
const missing = lacks('errors of vm2container', tools)
const isRoot = process.getuid?.() === 0

describe.skipIf(missing)('vm2container', () => {
  let folder = ''
  let disk = ''
  let state = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-errors-'))
    disk = await smallMachine(folder)
    state = await stateOf(disk)
    const at = (name: string) => join(folder, name)
    await tool('qemu-img', ['convert', '-f', 'raw', '-O', 'vdi', disk, at('whole.vdi')])
    await shell('cp "$1/whole.vdi" "$1/cut.vdi"; truncate -s -1M "$1/cut.vdi"', folder)
    await writeFile(at('words.txt'), 'no disk\n'.repeat(10_000))
    await writeFile(at('there.tar'), 'precious')
    await writeFile(at('tiny'), 'x')
    await mkdir(at('folder'))
    await mkdir(at('full-folder'))
    await writeFile(join(at('full-folder'), 'precious'), 'x')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const OUT = ['-o', 'tarball:out.tar']
  const cases: readonly (readonly [string, readonly string[], string, number])[] = [
    ['a missing file', ['absent.vdi', ...OUT], 'C2M_FILE_ENOENT', 1],
    ['a folder', ['folder', ...OUT], 'C2M_', 2],
    ['a file that is no disk', ['words.txt', ...OUT], 'C2M_ROOT_NOT_FOUND', 1],
    ['a file of one byte', ['tiny', ...OUT], 'C2M_', 1],
    ['a device that is no disk', ['/dev/null', ...OUT], 'C2M_', 2],
    ['another format than said', ['small.img', '--format', 'qcow2', ...OUT], 'C2M_DISK', 1],
    ['a format that c2m does not know', ['small.img', '--format', 'qed', ...OUT], 'C2M_USAGE', 2],
    ['a truncated disk', ['cut.vdi', ...OUT], 'C2M_DISK', 1],
    ['no disk at all', [], 'C2M_USAGE', 2],
    ['a flag that is not known', ['small.img', '--wrong'], 'C2M_USAGE', 2],
    ['an output that is there', ['small.img', '-o', 'tarball:there.tar'], 'C2M_OUTPUT_EXISTS', 2],
    ['an output that is a folder', ['small.img', '-o', 'tarball:folder'], 'C2M_OUTPUT_NOT_A_FILE', 2],
    ['a folder that holds other things', ['small.img', '-o', 'oci:full-folder'], 'C2M_', 2],
    ['an output in no folder', ['small.img', '-o', 'tarball:no/such/out.tar'], 'C2M_FILE_ENOENT', 1],
    ['an output without a form', ['small.img', '-o', 'out'], 'C2M_IMAGE_DESTINATION', 2],
    ['an output that can only be read', ['small.img', '-o', 'container:x'], 'C2M_IMAGE_DESTINATION', 2],
    ['a name that is none', ['small.img', '-t', 'Big Name'], 'C2M_IMAGE_REFERENCE', 2],
    ['an init that is none', ['small.img', '--init', 'what=ever', ...OUT], 'C2M_INIT', 2],
    ['an init that it has not', ['small.img', '--init', 'openrc', ...OUT], 'C2M_INIT_UNKNOWN', 2],
    ['a service that it has not', ['small.img', '--init', 'service=web', ...OUT], 'C2M_SERVICE', 1],
    ['a level that is none', ['small.img', '--level', '0', ...OUT], 'C2M_USAGE', 2],
    ['a level of another compression', ['small.img', '-o', 'oci:x', '--level', '12'], 'C2M_IMAGE_NEW', 2],
    ['a compression that Docker does not read', ['small.img', '--compress', 'zstd'], 'C2M_IMAGE_DESTINATION', 2],
    ['a distro that no plugin knows', ['small.img', '--distro', 'plan9', ...OUT], 'C2M_', 2],
    ['no original', ['small.img', '--only-original', ...OUT], 'C2M_NO_ORIGINAL', 1],
    ['layers where one is all', ['small.img', '--split-layers', '-o', 'dockerfile:x'], 'C2M_IMAGE_NEW', 2],
    ['a host without a name', ['ssh://', ...OUT], 'C2M_', 2],
  ]

  it.each(cases)('refuses %s', async (_what, args, code, exitCode) => {
    const before = await readdir(folder)
    const result = await c2m(['vm2container', ...args], { cwd: folder })
    expect(result.stderr).toContain(`(${code}`)
    expect(result.stderr).toMatch(/^ {2}→ \S/m)
    expect(result.stderr).not.toContain('C2M_BUG')
    expect(result.code).toBe(exitCode)
    expect(result.stdout).toBe('')
    expect(await readdir(folder)).toEqual(before)
  })

  it('left the disk alone', async () => {
    expect(await stateOf(disk)).toBe(state)
  })

  it('gives an error as an object, too', async () => {
    const { code, stdout } = await c2m(['vm2container', 'absent.vdi', '--json'], { cwd: folder })
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'C2M_FILE_ENOENT', hint: expect.any(String) as string } })
    expect(code).toBe(1)
  })

  it.each(['tarball:there.tar', 'oci:full-folder', 'dockerfile:folder/no/such', 'docker-daemon:x'])(
    'knows before it reads the disk that it cannot write %s',
    async (output) => {
      const env = { DOCKER_HOST: `unix://${folder}/no-daemon.sock` }
      const { stdout, stderr } = await c2m(['vm2container', 'small.img', '--json', '-o', output], { cwd: folder, env })
      expect(stdout).toMatch(/"code": "C2M_(?:OUTPUT|FILE|DAEMON)_/)
      expect(stderr).not.toContain('small.img')
    },
  )

  it('--force replaces what is there, and only then', async () => {
    const { code } = await c2m(['vm2container', 'small.img', '-o', 'tarball:there.tar', '-f'], { cwd: folder })
    expect(code).toBe(0)
    expect(await shell('tar -tf "$1" | grep -c plain', join(folder, 'there.tar'))).toBe('1\n')
  })

  describe.skipIf(!isRoot)('without space', () => {
    /** Runs with `small` being a file system of 4 MiB that is nearly full, in a mount namespace of its own. */
    const withSmall = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
      const small = join(folder, 'small')
      await mkdir(small, { recursive: true })
      const script = [
        'mount -t tmpfs -o size=4m,mode=0755 none "$0"; head -c 4100k /dev/zero > "$0/filler"',
        '"$@"; status=$?; find "$0" -type f; exit $status',
      ]
      const prefix = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script.join('\n'), small]
      return c2m(['vm2container', disk, ...args], { prefix, env, cwd: folder })
    }

    it.each(['tarball:small/out.tar', 'docker-archive:small/out.tar', 'oci:small/out', 'dockerfile:small/out'])(
      'on the target: %s',
      async (output) => {
        const { code, stdout, stderr } = await withSmall(['-o', output, '--keep', 'logs', '--compress', 'none'])
        expect(stderr).toMatch(/no space left/)
        expect(code).toBe(1)
        expect(stdout.trim()).toBe(join(folder, 'small', 'filler'))
      },
    )

    it('in the cache, where what goes to standard output is put together', async () => {
      const env = { C2M_CACHE_DIR: join(folder, 'small') }
      const { code, stderr } = await withSmall(['-o', 'docker-archive:-'], env)
      expect(stderr).toContain(`cannot write ${join(folder, 'small', 'temporary')}`)
      expect(stderr).toContain('no space left')
      expect(code).toBe(1)
    })
  })
})
