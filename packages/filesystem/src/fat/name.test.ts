import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checksum } from './directory.js'
import { assignNames, caseKey, problemOfName } from './name.js'

function show(names: readonly string[]): string[] {
  return assignNames(names).map(({ short, caseFlags, long }) => {
    return `${Buffer.from(short).toString('latin1')}|${caseFlags}${long === undefined ? '' : '|long'}`
  })
}

describe('assignNames', () => {
  it('uses the short name where it is the whole name', () => {
    expect(show(['BOOTX64.EFI', 'EFI', 'grub.cfg', 'a.TXT', 'B.txt', '~$&', 'x.1'])).toEqual([
      'BOOTX64 EFI|0',
      'EFI        |0',
      'GRUB    CFG|24',
      'A       TXT|8',
      'B       TXT|16',
      '~$&        |0',
      'X       1  |8',
    ])
  })

  it('makes short names with a number for all others', () => {
    expect(
      show(['long file name.conf', 'Grub.cfg', '.profile', 'a.b.c', 'x+y', 'größe', 'vmlinuz-6.1.0-18-amd64']),
    ).toEqual([
      'LONGFI~1CON|0|long',
      'GRUB    CFG|0|long',
      'PROFIL~1   |0|long',
      'AB~1    C  |0|long',
      'X_Y~1      |0|long',
      'GR__E~1    |0|long',
      'VMLINU~10-1|0|long',
    ])
  })

  it('never gives a short name twice, nor one that is another entry’s name', () => {
    expect(
      show(['longname1.txt', 'longname2.txt', 'LONGNA~1.TXT', 'Longna~3.txt']).map((name) => name.slice(0, 11)),
    ).toEqual(['LONGNA~2TXT', 'LONGNA~4TXT', 'LONGNA~1TXT', 'LONGNA~3TXT'])
    const many = assignNames(Array.from({ length: 3000 }, (_, index) => `some long name ${index}`))
    expect(new Set(many.map(({ short }) => Buffer.from(short).toString('latin1'))).size).toBe(3000)
  })

  it('holds for any names', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter((text) => problemOfName(text) === undefined)
    fc.assert(
      fc.property(fc.uniqueArray(name, { selector: caseKey, maxLength: 30 }), (names) => {
        const assigned = assignNames(names)
        const shorts = assigned.map(({ short }) => Buffer.from(short).toString('latin1'))
        expect(new Set(shorts).size).toBe(names.length)
        for (const short of shorts)
          expect(short).toMatch(/^[A-Z0-9$%'\-_@~`!(){}^#&]{1,8} *[A-Z0-9$%'\-_@~`!(){}^#&]{0,3} *$/)
        assigned.forEach(({ long }, index) => expect(long ?? names[index]).toBe(names[index]))
      }),
    )
  })
})

describe('problemOfName', () => {
  it('names what FAT cannot hold', () => {
    for (const good of ['a', '.a', 'a b', 'ä', '😀', 'a'.repeat(255), '+,;=[]'])
      expect(problemOfName(good)).toBeUndefined()
    for (const bad of [
      'a:b',
      'a\\b',
      'a?',
      'a.',
      'a ',
      'a\n',
      'a\x7f',
      'caf\udce9',
      'a'.repeat(256),
      '😀'.repeat(128),
      '',
    ]) {
      expect(problemOfName(bad), JSON.stringify(bad)).toBeDefined()
    }
  })
})

describe('checksum', () => {
  it('is the one that Windows and Linux compute', () => {
    // from a directory that mtools wrote: "The quick brown.fox"
    expect(checksum(Buffer.from('THEQUI~1FOX', 'latin1'))).toBe(0x07)
  })
})
