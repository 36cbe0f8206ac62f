import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../testing/temporary.js'
import { setIdentifiers } from './identifiers.js'

describe('the content id of a vmdk', () => {
  it.each(['1', '71cf25', 'f1cf2543'])('takes the place of %s, and the text behind it stays', async (id) => {
    await using folder = await temporaryFolder()
    const path = folder.file('disk.vmdk')
    const disk = Buffer.alloc(30 * 512)
    disk.write(`# Disk DescriptorFile\nversion=1\nCID=${id}\nparentCID=ffffffff\ncreateType="x"\n`, 512)
    disk.write('data', 21 * 512)
    await writeFile(path, disk)
    await setIdentifiers(path, 'vmdk', () => Uint8Array.of(0x80, 0xab, 0xcd, 0xef))
    const text = '# Disk DescriptorFile\nversion=1\nCID=00abcdef\nparentCID=ffffffff\ncreateType="x"\n'
    const expected = Buffer.alloc(30 * 512)
    expected.write(text, 512)
    expected.write('data', 21 * 512)
    expect((await readFile(path)).equals(expected)).toBe(true)
  })
})
