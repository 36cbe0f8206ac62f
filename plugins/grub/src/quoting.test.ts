import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kernelArguments, menuTitle, quote, quoteWord } from './quoting.js'

/** What GRUB's and a shell's lexer make of a line of plain and single-quoted words, as their manuals say. */
function words(line: string): string[] {
  const found: string[] = []
  let current: string | undefined
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at)
    if (character === ' ') {
      if (current !== undefined) found.push(current)
      current = undefined
    } else if (character === "'") {
      const end = line.indexOf("'", at + 1)
      if (end < 0) throw new Error('a quote is open')
      current = (current ?? '') + line.slice(at + 1, end)
      at = end
    } else if (character === '\\') {
      current = (current ?? '') + line.charAt(++at)
    } else {
      if (!/[A-Za-z0-9_/.,:=@%+-]/.test(character)) throw new Error(`unquoted: ${character}`)
      current = (current ?? '') + character
    }
  }
  return current === undefined ? found : [...found, current]
}

describe('quoting', () => {
  it('leaves plain words alone and quotes the rest', () => {
    expect(quoteWord('/boot/vmlinuz-6.1.0-50-amd64')).toBe('/boot/vmlinuz-6.1.0-50-amd64')
    expect(quoteWord('')).toBe("''")
    expect(quoteWord('a b')).toBe("'a b'")
    expect(quote("it's")).toBe(`'it'\\''s'`)
  })

  it('gives back any text, two levels deep', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), (texts) => {
        const line = texts.map(quoteWord).join(' ')
        expect(words(line)).toEqual(texts)
        expect(words(quote(line))).toEqual([line])
      }),
    )
  })
})

describe('menuTitle', () => {
  it('is one printable line', () => {
    expect(menuTitle('Debian\n}\tGNU')).toBe('Debian } GNU')
    expect(menuTitle('\u0000\ud800')).toBe('Linux')
    expect(Array.from(menuTitle('😀'.repeat(5000)))).toHaveLength(100)
  })
})

describe('kernelArguments', () => {
  it("takes the kernel's quotes off, since GRUB puts them on again", () => {
    expect(kernelArguments(['quiet', 'a="x y"', '"b=x y"', '', 'c=$HOME;d'])).toBe("quiet 'a=x y' 'b=x y' 'c=$HOME;d'")
  })

  it.each(['a"b', 'a="x" y"', "it's", 'a\\b', 'a\nb', 'a\u0000', '\udc80'])('refuses %j', (word) => {
    expect(() => kernelArguments([word])).toThrow(expect.objectContaining({ code: 'C2M_GRUB_CMDLINE', exitCode: 2 }))
  })

  it('passes every word that it does not refuse', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }).filter((word) => !/["'\\]/.test(word))), (cmdline) => {
        expect(words(kernelArguments(cmdline))).toEqual(cmdline)
      }),
    )
  })
})
