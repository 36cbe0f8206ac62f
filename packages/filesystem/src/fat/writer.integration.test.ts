import { createRawDisk, region } from '@c2m/disk'
import type { Rootfs } from '@c2m/plugin-api'
import { findTool, run } from '@c2m/process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryRootfs, type MemoryEntry } from './testing/memory-rootfs.js'
import { fat32Minimum, writeFat32 } from './writer.js'

const TOOLS = { 'fsck.fat': 'dosfstools', mdir: 'mtools', mcopy: 'mtools', blkid: 'util-linux' }
const missing = (
  await Promise.all(
    Object.entries(TOOLS).map(async ([tool, from]) =>
      (await findTool(tool)) ? [] : [`${tool} (apt-get install ${from})`],
    ),
  )
).flat()
if (missing.length > 0) console.warn(`SKIPPED: missing ${missing.join(', ')}`)

const MIB = 1024 * 1024
const START = 3 * MIB

function noise(length: number, seed: string): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
    createHash('sha256').update(`${seed}/${index}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, length)
}

const files: Record<string, MemoryEntry | string> = {
  'EFI/BOOT/BOOTX64.EFI': { content: noise(1_234_567, 'efi') },
  'EFI/debian/grub.cfg': {
    content: 'search\n',
    mtime: { seconds: Date.UTC(2021, 2, 4, 5, 6, 8) / 1000, nanoseconds: 0 },
  },
  'EFI/debian/Mixed.Case': 'm',
  'EFI/debian/empty': '',
  'EFI/debian/a long name with blanks and ünïcödé €.config.txt': 'long',
  'EFI/debian/thirteen-char': 'exactly one long-name entry',
  'EFI/debian/fourteen-chars': 'two of them',
  'loader/entries/.hidden': 'h',
  'just.512': { content: noise(512, 'a') },
  'just.513': { content: noise(513, 'b') },
  old: { content: 'o', mtime: { seconds: 0, nanoseconds: 0 } },
}
// more than one cluster of entries at each cluster size
for (let index = 0; index < 300; index++) files[`many/entry number ${index}.conf`] = `${index}`

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-fat-test-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** The file system lies within a disk, as on a machine; fsck.fat gets it alone. */
async function write(tree: Rootfs, size: number, name = 'disk'): Promise<{ disk: string; alone: string }> {
  const [disk, alone] = [join(folder, name), join(folder, `${name}.fat`)]
  const options = { volumeId: '12AB-34CD', label: 'EFI', hiddenSectors: START / 512 }
  await using whole = await createRawDisk(disk, START + size)
  await writeFat32(tree, region(whole, START, size), options)
  await using single = await createRawDisk(alone, size)
  await writeFat32(tree, single, options)
  return { disk, alone }
}

const env = { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', MTOOLS_SKIP_CHECK: '0', MTOOLSRC: '/dev/null' }

describe.skipIf(missing.length > 0)('a FAT32 file system', () => {
  it.each([33, 64, 260, 300, 600])('of %i MiB pleases fsck.fat and mtools', async (mib) => {
    const { disk, alone } = await write(memoryRootfs(files), mib * MIB)
    const checked = await run('fsck.fat', ['-n', '-v', alone], { env })
    expect(checked.stdout).toMatch(/\d+ files, \d+\/\d+ clusters/)
    expect(checked.stdout).not.toMatch(/differ|dirty|wrong|bad |reclaim|invalid/i)
    expect(checked.stdout).toMatch(new RegExp(`${mib <= 260 ? 512 : 4096} bytes per cluster`))

    const out = join(folder, 'out')
    await run('mcopy', ['-s', '-m', '-n', '-i', `${disk}@@${START}`, '::/', out], { env })
    const found = (await readdir(out, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    expect(found).toHaveLength(Object.keys(files).length)
    for (const [path, entry] of Object.entries(files)) {
      const expected = Buffer.from((typeof entry === 'string' ? entry : entry.content) ?? '')
      expect((await readFile(join(out, path))).equals(expected), path).toBe(true)
    }
    expect((await stat(join(out, 'EFI/debian/grub.cfg'))).mtime.toISOString()).toBe('2021-03-04T05:06:08.000Z')
    expect((await stat(join(out, 'old'))).mtime.toISOString()).toBe('1980-01-01T00:00:00.000Z')

    const listed = (await run('mdir', ['-/', '-i', `${disk}@@${START}`, '::'], { env })).stdout
    expect(listed).toMatch(/Volume in drive : is EFI/)
    expect(listed).toMatch(/Volume Serial Number is 12AB-34CD/)
    expect(listed).toMatch(/BOOTX64 {2}EFI +1234567/)
    expect(listed).toMatch(/grub {5}cfg/)
    const probed = (await run('blkid', ['-p', '-O', String(START), '-o', 'export', disk])).stdout
    for (const line of ['TYPE=vfat', 'VERSION=FAT32', 'UUID=12AB-34CD', 'LABEL=EFI', 'LABEL_FATBOOT=EFI']) {
      expect(probed.split('\n')).toContain(line)
    }
  })

  it('is the same for the same inputs', async () => {
    const one = await write(memoryRootfs(files), 64 * MIB, 'one')
    const two = await write(memoryRootfs(files), 64 * MIB, 'two')
    expect((await readFile(one.disk)).equals(await readFile(two.disk))).toBe(true)
  })

  it('may be full to the last cluster, or empty', async () => {
    const tree = memoryRootfs({ big: { content: Buffer.alloc(40 * MIB + 123, 0x5a) } })
    const { alone } = await write(tree, await fat32Minimum(tree))
    await run('fsck.fat', ['-n', alone])
    const empty = await write(memoryRootfs({}), 33 * MIB, 'empty')
    expect((await run('fsck.fat', ['-n', empty.alone])).stdout).toMatch(/ 1 files, 1\/\d+ clusters/)
  })

  it('takes a directory with thousands of names', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 3000 }, (_, index) => [`folder/a long common name ${index}`, '']),
    )
    const { alone } = await write(memoryRootfs(many), 64 * MIB)
    expect((await run('fsck.fat', ['-n', alone])).stdout).toMatch(/3002 files/)
  })

  it('is judged broken when a byte of a FAT changes', async () => {
    const path = join(folder, 'broken')
    await using disk = await createRawDisk(path, 64 * MIB)
    const { clusters } = await writeFat32(memoryRootfs(files), disk, {
      volumeId: '0000-0001',
      label: 'EFI',
      hiddenSectors: 0,
    })
    expect(clusters).toBeGreaterThan(65525)
    const reserved = (await readFile(path)).readUInt16LE(14)
    await disk.write(reserved * 512 + 4 * 10, Uint8Array.of(0, 0, 0, 0))
    await expect(run('fsck.fat', ['-n', path])).rejects.toMatchObject({ code: 'C2M_COMMAND_FAILED' })
  })
})
