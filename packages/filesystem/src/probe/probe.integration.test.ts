import { execFileSync } from 'node:child_process'
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlockSource } from '@c2m/disk'
import { findTool } from '@c2m/process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { probeFilesystem } from './probe.js'

const UUID = '0a1b2c3d-4e5f-4607-8899-aabbccddeeff'
const MIB = 2 ** 20

/** Programs that make what is probed, and the arguments before the file. */
const MAKERS: Readonly<Record<string, { tool: string; apt: string; size: number; args: readonly string[] }>> = {
  ext4: { tool: 'mke2fs', apt: 'e2fsprogs', size: 16, args: ['-q', '-t', 'ext4', '-L', 'root', '-U', UUID] },
  ext2: { tool: 'mke2fs', apt: 'e2fsprogs', size: 16, args: ['-q', '-t', 'ext2', '-L', 'two', '-U', UUID] },
  xfs: { tool: 'mkfs.xfs', apt: 'xfsprogs', size: 320, args: ['-q', '-L', 'data', '-m', `uuid=${UUID}`] },
  btrfs: { tool: 'mkfs.btrfs', apt: 'btrfs-progs', size: 160, args: ['-q', '-L', 'pool', '-U', UUID] },
  swap: { tool: 'mkswap', apt: 'util-linux', size: 1, args: ['-q', '-L', 'swap', '-U', UUID] },
  vfat: { tool: 'mkfs.fat', apt: 'dosfstools', size: 64, args: ['-F', '32', '-n', 'EFI', '-i', '1234ABCD'] },
  'vfat (16)': { tool: 'mkfs.fat', apt: 'dosfstools', size: 16, args: ['-F', '16', '-n', 'OLD', '-i', '1234ABCD'] },
  luks1: {
    tool: 'cryptsetup',
    apt: 'cryptsetup-bin',
    size: 16,
    args: ['luksFormat', '-q', '--type', 'luks1', '--pbkdf-force-iterations', '1000', '--uuid', UUID],
  },
  luks2: {
    tool: 'cryptsetup',
    apt: 'cryptsetup-bin',
    size: 32,
    args: [
      ...['luksFormat', '-q', '--type', 'luks2', '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'],
      ...['--label', 'secret', '--uuid', UUID],
    ],
  },
}

async function fileSource(path: string): Promise<BlockSource & AsyncDisposable> {
  const file = await open(path)
  const { size } = await file.stat()
  return {
    size,
    async read(offset, target) {
      await file.read(target, 0, target.length, offset)
    },
    async *data(offset, length) {
      yield { offset, length }
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

const tools = new Map<string, boolean>()
for (const { tool, apt } of Object.values(MAKERS)) {
  tools.set(tool, (await findTool(tool)) !== undefined)
  if (tools.get(tool) === false) console.warn(`skipped: probing what ${tool} makes (apt-get install ${apt})`)
}

describe('probing a volume says what blkid says', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-probe-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function compare(path: string): Promise<void> {
    const printed = execFileSync('blkid', ['-p', '-o', 'export', path], { encoding: 'utf8' })
    const fields = new Map(printed.split('\n').map((line) => line.split('=', 2) as [string, string]))
    await using source = await fileSource(path)
    const found = await probeFilesystem(source)
    expect(found?.type).toBe(fields.get('TYPE'))
    expect(found?.uuid).toBe(fields.get('UUID'))
    expect(found?.label).toBe(fields.get('LABEL'))
  }

  for (const [name, { tool, size, args }] of Object.entries(MAKERS)) {
    it.skipIf(tools.get(tool) === false)(name, async () => {
      const path = join(folder, name.replace(/\W/g, ''))
      await writeFile(path, '')
      await truncate(path, size * MIB)
      execFileSync(tool, [...args, path], { stdio: ['pipe', 'pipe', 'pipe'], input: 'passphrase' })
      await compare(path)
    })
  }

  it('an LVM physical volume, whose label is written here by hand', async () => {
    const path = join(folder, 'lvm')
    const label = Buffer.alloc(MIB)
    label.write('LABELONE', 512, 'latin1')
    label.writeBigUInt64LE(1n, 520)
    label.writeUInt32LE(32, 532)
    label.write('LVM2 001', 536, 'latin1')
    label.write('0123456789abcdefghijklmnopqrstuv', 544, 'latin1')
    label.writeUInt32LE(lvmChecksum(label.subarray(532, 1024)), 528)
    await writeFile(path, label)
    await truncate(path, 16 * MIB)
    await compare(path)
  })

  it('nothing that is known', async () => {
    const path = join(folder, 'nothing')
    await writeFile(path, Buffer.alloc(100, 7))
    await using source = await fileSource(path)
    expect(await probeFilesystem(source)).toBeUndefined()
  })
})

/** CRC-32 with LVM's initial value and without the final inversion. */
function lvmChecksum(bytes: Buffer): number {
  let crc = 0xf597a6cf
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return crc >>> 0
}
