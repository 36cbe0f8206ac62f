import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { memoryRootfs } from '../testing/memory-rootfs.js'
import { findOsRelease, parseOsRelease } from './os-release.js'

describe('parseOsRelease', () => {
  it("reads Debian's", () => {
    const os = parseOsRelease('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n')
    expect(os).toMatchObject({
      id: 'debian',
      idLike: [],
      versionId: '12',
      prettyName: 'Debian GNU/Linux 12 (bookworm)',
    })
  })
  it('keeps the order of ID_LIKE and takes quotes as a shell does', () => {
    const os = parseOsRelease(`ID='mint'\nID_LIKE="ubuntu debian"\nNAME="a \\"b\\" \\$c \\x"\n# ID=no\n`)
    expect(os.id).toBe('mint')
    expect(os.idLike).toEqual(['ubuntu', 'debian'])
    expect(os.fields.get('NAME')).toBe('a "b" $c \\x')
  })
  it('drops what could do harm in a file name or on a terminal', () => {
    const os = parseOsRelease('ID=../../etc\nVERSION_ID="1;rm"\nPRETTY_NAME="a\u001b[2Jb"\n')
    expect(os).toMatchObject({ id: 'linux', versionId: undefined, prettyName: 'a[2Jb' })
  })
  it('takes any text', () => {
    const part = fc.constantFrom('ID', 'NAME', '=', '"', "'", '\\', '\n', ' ', 'x', '/', '\u0000', '\u00e4')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        expect(parseOsRelease(parts.join('')).id).toMatch(/^[A-Za-z0-9._+-]+$/)
      }),
    )
  })
})

describe('findOsRelease', () => {
  it('follows the link, inside the tree only', async () => {
    const tree = memoryRootfs({
      'etc/os-release': '-> ../../../usr/lib/os-release',
      'usr/lib/os-release': 'ID=debian\n',
    })
    expect((await findOsRelease(tree))?.id).toBe('debian')
    expect(await findOsRelease(memoryRootfs({}))).toBeUndefined()
  })
  it('refuses one that is absurdly long', async () => {
    await expect(findOsRelease(memoryRootfs({ 'etc/os-release': 'x'.repeat(70_000) }))).rejects.toThrow(/70000 bytes/)
  })
})

it('is not slow on a line made to be', () => {
  const start = performance.now()
  parseOsRelease(`NAME=${' '.repeat(60_000)}x\nID="${'\\'.repeat(60_000)}\n`)
  expect(performance.now() - start).toBeLessThan(1000)
})
