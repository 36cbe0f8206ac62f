import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loopDevice, noLoopDevices } from '../../packages/disk/src/testing/loop-device.js'
import { c2m, c2mOk } from '../support/cli.js'
import { debian12 } from '../support/debian.js'

const because = noLoopDevices()
if (because !== undefined) console.warn(`SKIPPED: block devices as output: ${because}`)

const MIB = 2 ** 20

describe('an output among devices', () => {
  it('that is not there is no file to be made', async () => {
    const { code, stderr } = await c2m(['container2vm', `oci:${await debian12()}`, '-o', '/dev/c2m-none'])
    expect(stderr).toContain('there is no device /dev/c2m-none')
    expect(code).toBe(2)
  })
})

describe.skipIf(because !== undefined)('a block device as output', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-device-'))
    await mkdir(join(folder, 'mounted'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const device = (name: string, mib: number, flags: readonly string[] = []) =>
    loopDevice(join(folder, name), mib * MIB, flags)

  async function refused(output: string, flags: readonly string[]): Promise<string> {
    const { code, stderr } = await c2m(['container2vm', `oci:${await debian12()}`, '-o', output, ...flags])
    expect(code).toBe(2)
    expect(stderr.match(/^error: /gm)).toHaveLength(1)
    return stderr
  }

  it('is named with what would be lost, in the plan and without --force', async () => {
    await using loop = await device('named', 64)
    execFileSync('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', loop.path], { input: 'label: gpt\n,\n' })
    const lost = `all of ${loop.path} (64.0 MiB) would be overwritten: a GPT partition table, partition 1`
    expect(await refused(loop.path, [])).toContain(lost)
    const plan = await c2mOk(['container2vm', `oci:${await debian12()}`, '-o', loop.path, '--dry-run', '--json'])
    expect(JSON.parse(plan.stdout)).toMatchObject({
      device: { path: loop.path, size: 64 * MIB, contents: ['a GPT partition table', 'partition 1'] },
      warnings: expect.arrayContaining([`${lost}; that needs --force`]) as string[],
    })
  })

  it('is refused when it is too small, before packages are installed', async () => {
    await using loop = await device('small', 64)
    const said = await refused(loop.path, ['--force'])
    expect(said).toMatch(/the machine needs at least \d+ MiB, the device has 64 MiB/)
    expect(said).not.toContain('install')
  })

  it('is refused when it is mounted, read-only, or has large sectors', async () => {
    {
      await using loop = await device('mounted.img', 64)
      execFileSync('mkfs.ext4', ['-qF', loop.path])
      execFileSync('mount', [loop.path, join(folder, 'mounted')])
      try {
        expect(await refused(loop.path, ['--force'])).toContain(`is mounted on ${join(folder, 'mounted')}`)
      } finally {
        execFileSync('umount', [join(folder, 'mounted')])
      }
    }
    {
      await using loop = await device('read-only', 64, ['--read-only'])
      expect(await refused(loop.path, ['--force'])).toContain('is read-only')
    }
    await using loop = await device('sectors', 64, ['--sector-size', '4096'])
    expect(await refused(loop.path, ['--force'])).toContain('sectors of 4096 bytes')
  })

  it('is refused as a partition', async () => {
    await using loop = await device('parted', 64)
    execFileSync('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', loop.path], { input: 'label: gpt\n,\n' })
    execFileSync('partx', ['--update', loop.path])
    try {
      expect(await refused(`${loop.path}p1`, ['--force'])).toContain(`is a partition of ${loop.path.slice(5)}`)
    } finally {
      execFileSync('partx', ['--delete', loop.path])
    }
  })

  it('takes neither a format of virtual machines nor a size', async () => {
    await using loop = await device('format', 64)
    expect(await refused(loop.path, ['--force', '--format', 'vdi'])).toContain('takes a raw disk, not vdi')
    expect(await refused(loop.path, ['--force', '--size', '3G'])).toContain('whatever --size says')
  })

  it('becomes the disk, from its first sector to its last', async () => {
    await using loop = await device('whole', 3000)
    const args = ['container2vm', `oci:${await debian12()}`, '-o', loop.path, '--force', '--json']
    const { stdout } = await c2mOk(args)
    expect(JSON.parse(stdout)).toMatchObject({ diskBytes: 3000 * MIB, format: 'raw', device: { path: loop.path } })
    expect(execFileSync('sfdisk', ['--verify', loop.path], { encoding: 'utf8' })).toContain('No errors')
    const { partitiontable } = JSON.parse(execFileSync('sfdisk', ['--json', loop.path], { encoding: 'utf8' })) as {
      partitiontable: { partitions: { start: number; size: number }[] }
    }
    const root = partitiontable.partitions.at(-1) ?? { start: 0, size: 0 }
    expect((root.start + root.size) * 512).toBe(2999 * MIB)
    execFileSync('e2fsck', ['-fn', `${loop.file}?offset=${root.start * 512}`], { stdio: 'pipe' })
  })
})
