import { execFileSync } from 'node:child_process'
import { mkdir, open, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { createRawDisk } from '../block/raw-disk.js'
import { readTable } from '../partition-table/read.js'
import { writePartitionTable } from '../partition-table/write.js'
import { openRawSource } from '../block/raw-source.js'
import { loopDevice, noLoopDevices } from '../testing/loop-device.js'
import { plan } from '../testing/plans.js'
import { temporaryFolder } from '../testing/temporary.js'
import { haveTools } from '../testing/tools.js'
import { findBlockDevice, type BlockDevice } from './block-device.js'
import { checkDevice } from './check-device.js'
import { writeDevice } from './write-device.js'

const MIB = 2 ** 20
const SIZE = 64 * MIB
/** Where the file systems of the disks of these tests end. */
const END = 24 * MIB

const because = noLoopDevices()
if (because !== undefined) console.warn(`SKIPPED: writing onto block devices: ${because}`)
const tools = await haveTools({ losetup: 'mount', sfdisk: 'fdisk', wipefs: 'util-linux', 'mkfs.ext4': 'e2fsprogs' })

describe.skipIf(because !== undefined || !tools)('writing onto a block device', () => {
  /** A raw disk with a table, and a byte here and there. */
  async function rawDisk(path: string, size = SIZE): Promise<string> {
    await using disk = await createRawDisk(path, size)
    await writePartitionTable(disk, plan('gpt', ['bios-boot', 'root']))
    for (const at of [5, 12 * MIB + 17, END - 1]) await disk.write(at, Uint8Array.of(0xc2))
    await disk.sync()
    return path
  }

  async function device(path: string): Promise<BlockDevice> {
    const found = await findBlockDevice(path)
    if (found === undefined) throw new Error(`${path} is no device`)
    return found
  }

  const text = (command: string, ...args: readonly string[]) => execFileSync(command, args, { encoding: 'utf8' })
  const warn = () => undefined

  it('leaves nothing of what was there where anybody would look for it', async () => {
    await using folder = await temporaryFolder()
    await using loop = await loopDevice(folder.file('device'), SIZE)
    const old = await open(loop.path, 'r+')
    for (let at = 0; at < SIZE; at += MIB) await old.write(Buffer.alloc(MIB, 0xff), 0, MIB, at)
    await old.close()
    execFileSync('mkfs.ext4', ['-qF', '-E', 'nodiscard', '-L', 'old', loop.path])
    execFileSync('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', '--wipe', 'never', loop.path], {
      input: 'label: gpt\n,10M\n,\n',
    })
    const raw = await rawDisk(folder.file('raw'))
    let progress = 0
    await writeDevice(raw, await device(loop.path), { end: END, warn, onProgress: (bytes) => (progress += bytes) })
    // the ends are written twice
    expect(progress).toBe(2 * (END + 4 * MIB) + 5 * MIB)
    const [wanted, found] = [await readFile(raw), await readFile(loop.file)]
    const same = (from: number, to: number) => wanted.subarray(from, to).equals(found.subarray(from, to))
    expect([same(0, END), same(SIZE - 4 * MIB, SIZE)]).toEqual([true, true])
    expect(found[40 * MIB]).toBe(0xff) // free space of the last partition
    expect(text('wipefs', '--noheadings', '--output', 'TYPE', loop.path).trim().split(/\s+/)).toEqual([
      'gpt',
      'gpt',
      'PMBR',
    ])
    expect(text('sfdisk', '--verify', loop.path)).toContain('No errors')
  })

  it('refuses a device that is mounted, and one whose partition is', async () => {
    await using folder = await temporaryFolder()
    await using loop = await loopDevice(folder.file('device'), SIZE)
    const before = await device(loop.path)
    execFileSync('mkfs.ext4', ['-qF', loop.path])
    await mkdir(folder.file('mounted'))
    execFileSync('mount', [loop.path, folder.file('mounted')])
    try {
      const raw = await rawDisk(folder.file('raw'))
      const now = await device(loop.path)
      expect(() => checkDevice(now)).toThrow(new RegExp(`is mounted on ${folder.file('mounted')}`))
      // mounted after the check: the kernel has the last word
      await expect(writeDevice(raw, before, { end: END, warn })).rejects.toMatchObject({ code: 'C2M_DEVICE_IN_USE' })
    } finally {
      execFileSync('umount', [folder.file('mounted')])
    }
    execFileSync('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', loop.path], { input: 'label: gpt\n,\n' })
    execFileSync('partx', ['--update', loop.path])
    try {
      const part = `${loop.path}p1`
      expect(await device(part)).toMatchObject({ partitionOf: before.name })
      execFileSync('mkfs.ext4', ['-qF', part])
      execFileSync('mount', [part, folder.file('mounted')])
      try {
        const now = await device(loop.path)
        expect(() => checkDevice(now)).toThrow(`${before.name}p1 is mounted on`)
      } finally {
        execFileSync('umount', [folder.file('mounted')])
      }
    } finally {
      execFileSync('partx', ['--delete', loop.path])
    }
  })

  it('sees that a device is read-only, or has large sectors', async () => {
    await using folder = await temporaryFolder()
    {
      await using loop = await loopDevice(folder.file('a'), SIZE, ['--read-only'])
      expect(await device(loop.path)).toMatchObject({ readOnly: true, size: SIZE })
    }
    await using loop = await loopDevice(folder.file('b'), SIZE, ['--sector-size', '4096'])
    expect(await device(loop.path)).toMatchObject({ sectorSize: 4096 })
  })

  it('refuses a device that was exchanged meanwhile', async () => {
    await using folder = await temporaryFolder()
    await using loop = await loopDevice(folder.file('device'), SIZE)
    const raw = await rawDisk(folder.file('raw'))
    const other = { ...(await device(loop.path)), serial: 'another' }
    await expect(writeDevice(raw, other, { end: END, warn })).rejects.toMatchObject({ code: 'C2M_DEVICE_CHANGED' })
  })

  it('says in one sentence that a device cannot take what is written', async () => {
    await using folder = await temporaryFolder()
    await mkdir(folder.file('small'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', folder.file('small')])
    try {
      await using loop = await loopDevice(folder.file('small/device'), SIZE)
      const raw = await rawDisk(folder.file('raw'))
      await expect(writeDevice(raw, await device(loop.path), { end: END, warn })).rejects.toMatchObject({
        code: 'C2M_DEVICE_WRITE',
        message: expect.stringMatching(
          /^writing to \/dev\/loop\d+ \(64\.0 MiB\) failed near byte \d+: E[A-Z]+$/,
        ) as string,
      })
    } finally {
      execFileSync('umount', [folder.file('small')])
    }
  })

  it('tells an interrupted user what the device is now, which has no table then', async () => {
    await using folder = await temporaryFolder()
    await using loop = await loopDevice(folder.file('device'), SIZE)
    execFileSync('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', loop.path], { input: 'label: gpt\n,\n' })
    const raw = await rawDisk(folder.file('raw'))
    const controller = new AbortController()
    const warnings: string[] = []
    let progress = 0
    const writing = writeDevice(raw, await device(loop.path), {
      end: END,
      signal: controller.signal,
      warn: (message) => warnings.push(message),
      onProgress: (bytes) => {
        progress += bytes
        if (progress > 5 * MIB) controller.abort()
      },
    })
    await expect(writing).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
    expect(warnings).toEqual([`${loop.path} is incomplete now: what was on it is gone, and it does not boot`])
    await using source = await openRawSource(loop.path)
    expect(await readTable(source)).toBeUndefined()
  })
})
