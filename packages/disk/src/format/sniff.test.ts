import { writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../testing/temporary.js'
import { formatForFile, qemuFormat } from './formats.js'
import { sniffDisk, sniffDiskFormat } from './sniff.js'

describe('formatForFile', () => {
  it('knows the formats by extension', () => {
    const names = [
      'a.img',
      'a.RAW',
      'x/a.b.qcow2',
      'a.vdi',
      'a.vmdk',
      'a.vhd',
      'a.vpc',
      'a.vhdx',
      'a.iso',
      'qcow2',
      '.img',
    ]
    expect(names.map(formatForFile)).toEqual([
      ...['raw', 'raw', 'qcow2', 'vdi', 'vmdk', 'vhd', 'vhd', 'vhdx'],
      ...[undefined, undefined, undefined],
    ])
    expect([qemuFormat('vhd'), qemuFormat('vdi')]).toEqual(['vpc', 'vdi'])
  })
})

describe('sniffDisk', () => {
  it('names the files that a disk would make QEMU open', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('disk')
    const descriptor = [
      '# Disk DescriptorFile',
      'version=1',
      'createType="twoGbMaxExtentFlat"',
      'RW 4192256 FLAT "/etc/shadow" 0',
      'RW 10 FLAT "b-f002.vmdk" 0',
      'parentFileNameHint="../parent.vmdk"',
    ]
    await writeFile(path, descriptor.join('\n'))
    expect(await sniffDisk(path)).toEqual({
      format: 'vmdk',
      variant: 'twoGbMaxExtentFlat',
      refersTo: ['/etc/shadow', 'b-f002.vmdk', '../parent.vmdk'],
    })

    const qcow2 = Buffer.alloc(512)
    qcow2.writeUInt32BE(0x514649fb, 0)
    qcow2.writeUInt32BE(3, 4)
    qcow2.writeBigUInt64BE(200n, 8)
    qcow2.writeUInt32BE(11, 16)
    qcow2.write('/etc/shadow', 200)
    await writeFile(path, qcow2)
    expect(await sniffDisk(path)).toEqual({ format: 'qcow2', refersTo: ['/etc/shadow'] })
    qcow2.writeBigUInt64BE(2n ** 60n, 8)
    qcow2.writeBigUInt64BE(4n, 72)
    qcow2.writeUInt32BE(0xffffffff, 100)
    await writeFile(path, qcow2)
    expect(await sniffDisk(path)).toEqual({ format: 'qcow2', refersTo: ['(unreadable)', '(unreadable)'] })
  })

  it('knows nothing about other files, and says when there is none', async () => {
    await using folder = await temporaryFolder()
    for (const content of ['', 'x', Buffer.alloc(100_000), Buffer.alloc(1000, 0x55)]) {
      await writeFile(folder.file('file'), content)
      expect(await sniffDiskFormat(folder.file('file'))).toBeUndefined()
    }
    await expect(sniffDiskFormat(folder.file('no'))).rejects.toMatchObject({ code: 'C2M_FILE_ENOENT' })
    await expect(sniffDiskFormat(folder.path)).rejects.toMatchObject({ code: 'C2M_FILE_EISDIR' })
  })

  it('survives any bytes behind a magic number', async () => {
    await using folder = await temporaryFolder()
    const magic = fc.constantFrom(
      '514649fb',
      '4b444d56',
      '434f5744',
      Buffer.from('vhdxfile').toString('hex'),
      Buffer.from('conectix').toString('hex'),
    )
    await fc.assert(
      fc.asyncProperty(magic, fc.uint8Array({ maxLength: 700 }), async (start, rest) => {
        await writeFile(folder.file('file'), Buffer.concat([Buffer.from(start, 'hex'), rest]))
        await sniffDisk(folder.file('file'))
      }),
      { numRuns: 200 },
    )
  })
})
