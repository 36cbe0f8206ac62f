import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { WORK } from '../support/paths.js'
import { tarDigest, vm2container } from './support/convert.js'
import { compareTars, kernelTar, lines, partitions } from './support/disk.js'
import { lacks, shell, tool } from './support/tools.js'
import { stateOf } from './support/tree.js'

/** File's extension, qemu-img's format, its options. */
const FORMATS: readonly (readonly [string, string, string])[] = [
  ['qcow2', 'qcow2', ''],
  ['vdi', 'vdi', ''],
  ['vmdk', 'vmdk', 'subformat=monolithicSparse'],
  ['vmdk', 'vmdk', 'subformat=streamOptimized'],
  ['vmdk', 'vmdk', 'subformat=twoGbMaxExtentSparse'],
  ['vmdk', 'vmdk', 'subformat=monolithicFlat'],
  ['vhd', 'vpc', 'subformat=dynamic,force_size=on'],
  ['vhd', 'vpc', 'subformat=fixed,force_size=on'],
  ['vhdx', 'vhdx', ''],
]

/** Where only a machine needs what lies there, said independently of the rules that take it away. */
const ONLY_A_MACHINES =
  /^(?:boot|(?:usr\/)?lib\/(?:modules|firmware)|vmlinuz|initrd\.img|var\/lib\/c2m|usr\/local\/lib\/c2m|etc\/(?:fstab|udev\/rules\.d\/90-c2m-verify\.rules|resolv\.conf|\.pwd\.lock|udev\/hwdb\.bin|machine-id|(?:passwd|group|shadow|gshadow|subuid|subgid)-|systemd\/network|ssh\/ssh_host_|systemd\/system\/.*c2m)|usr\/lib\/udev\/hwdb\.bin|lost\+found|(?:dev|proc|sys|run|tmp)\/|var\/(?:log|tmp|cache\/(?:apt|ldconfig|debconf|man)|lib\/(?:apt\/lists|systemd\/(?:random-seed|catalog)|dpkg\/.*-old))(?:\/|$))/

const missing = lacks('a machine on disks of every format', { 'qemu-img': 'qemu-utils', sfdisk: 'fdisk' })
const missingJudge = lacks('the kernel as judge of a disk', { losetup: 'mount', tar: 'tar', sfdisk: 'fdisk' }, 'root')

describe.skipIf(missing)('a Debian machine that c2m made', () => {
  let folder = ''
  let disk = ''
  let digest = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'formats-'))
    disk = join(folder, 'machine.img')
    await c2mOk(['container2vm', `oci:${await debian12()}`, '-o', disk, '--kernel', 'cloud', '--hostname', 'here'])
    const { result } = await vm2container([disk, '-o', `tarball:${join(folder, 'raw.tar')}`])
    digest = result.layers[0]!.diffId
    const sum = await shell('sha256sum < "$1"', join(folder, 'raw.tar'))
    expect(digest).toBe(`sha256:${sum.split(' ')[0]}`)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each(FORMATS)('gives the same image as %s (%s %s)', async (extension, format, options) => {
    const own = await mkdtemp(join(folder, 'format-'))
    const path = join(own, `machine.${extension}`)
    const flags = options === '' ? [] : ['-o', options]
    await tool('qemu-img', ['convert', '-f', 'raw', '-O', format, ...flags, disk, path])
    const before = await shell('stat -c "%n %s %.Y" "$1"/*', own)
    expect(await tarDigest([path])).toBe(digest)
    expect(await shell('stat -c "%n %s %.Y" "$1"/*', own)).toBe(before)
    await rm(own, { recursive: true })
  })

  it.skipIf(missingJudge)('is taken verbatim: as GNU tar packs what the kernel mounts', async () => {
    const before = await stateOf(disk)
    const judge = join(folder, 'kernel.tar')
    const root = [...(await partitions(disk)).values()].at(-1)!
    await kernelTar(disk, { '/': root }, judge)
    const verbatim = join(folder, 'verbatim.tar')
    await vm2container([disk, '-o', `tarball:${verbatim}`, '--keep', 'all', '--devices'])
    expect(lines(await compareTars(judge, verbatim))).toEqual([])
    await rm(verbatim)
    expect(await stateOf(disk)).toBe(before)
  })

  it.skipIf(missingJudge)('loses by itself what only a machine needs, all of it told', async () => {
    const tar = join(folder, 'clean.tar')
    const { result } = await vm2container([disk, '-o', `tarball:${tar}`])
    const { cleaning, leftOut, droppedAttributes } = result.plan
    const differences = await compareTars(join(folder, 'kernel.tar'), tar)
    const gone = differences.filter(({ aspect, b }) => aspect === 'existence' && b === 'absent')
    const emptied = differences.filter(({ aspect }) => aspect === 'size')
    const links = differences.filter(({ aspect }) => aspect === 'hard links')
    expect(lines(differences.filter((one) => ![gone, emptied, links].some((list) => list.includes(one))))).toEqual([])
    expect(links).toEqual([])
    expect(lines([...gone, ...emptied].filter(({ path }) => !ONLY_A_MACHINES.test(path)))).toEqual([])
    const applied = cleaning.filter((rule) => rule.applied)
    expect(gone).toHaveLength(applied.reduce((sum, { removed }) => sum + removed, 0) + leftOut.length)
    expect(emptied).toHaveLength(applied.reduce((sum, rule) => sum + rule.emptied, 0))
    expect(droppedAttributes).toEqual({})
    expect(gone.length).toBeGreaterThan(1500)
    await rm(tar)
  })

  it('leaves nothing beside the outputs', async () => {
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([])
  })
})
