import { describe, expect, it } from 'vitest'
import { lastLines } from './run.js'
import { shown, visible, visibleJson, visibleMessage } from './visible.js'

const NAMES: readonly (readonly [string, string])[] = [
  ['srv/a\x1b[31mRED\nwarning: fake.key', 'srv/a\\x1b[31mRED\\x0awarning: fake.key'],
  ['\x00\t\r\x7f\x80\x9b2J\x9f', '\\x00\\x09\\x0d\\x7f\\x80\\x9b2J\\x9f'],
  ['a\u202egnp.exe\u202c', 'a\\u202egnp.exe\\u202c'],
  [
    '\u061c\u200b\u200e\u200f\u2028\u2029\ufeff\u{e0041}',
    '\\u061c\\u200b\\u200e\\u200f\\u2028\\u2029\\ufeff\\u{e0041}',
  ],
  ['Größe \u{1f600} \udc80 \\x1b', 'Größe \u{1f600} \udc80 \\x1b'],
]

it.each(NAMES)('shows %j in one line', (name, expected) => {
  expect(shown(name)).toBe(expected)
})

describe('what a terminal shows', () => {
  it('keeps its lines and tabs', () => {
    expect(visible('a\tb\n  c\x1b]0;title\x07\r')).toBe('a\tb\n  c\\x1b]0;title\\x07\\x0d')
  })
  it('has no line that looks like another message', () => {
    expect(visibleMessage('two:\n  /a\nwarning: b\n error: c')).toBe('two:\n  /a\n  warning: b\n   error: c')
  })
  it('has of a failed program its lines, but not its colours', () => {
    expect(lastLines('10%\r100%\r\n\x1b[31mE:\x1b[0m no such package\x07\n')).toBe('10%\n100%\nE: no such package')
  })
})

const UNSEEN = [
  ...Array.from({ length: 0x20 }, (_, index) => 0x80 + index),
  ...[0xad, 0x61c, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e],
  ...[0x2060, 0x2066, 0x2067, 0x2068, 0x2069, 0x206a, 0xfeff, 0xfff9, 0x1d173, 0xe0001, 0xe0020, 0xe0100],
].map((code) => String.fromCodePoint(code))

it.each(UNSEEN)('lets no %j through, and JSON stays what it was', (character) => {
  const text = `a${character}b`
  for (const written of [shown(text), visible(text), visibleMessage(text), visibleJson({ [text]: text }, 2)])
    expect(written).not.toContain(character)
  expect(JSON.parse(visibleJson({ [text]: text }))).toEqual({ [text]: text })
})

it('writes JSON with its own line breaks and characters of any language', () => {
  expect(visibleJson({ a: 'Größe \u{1f600} \x1b\n' }, 2)).toBe('{\n  "a": "Größe \u{1f600} \\u001b\\n"\n}')
})
