import { describe, expect, it } from 'vitest'
import { lastLines } from './run.js'
import { shown, visible, visibleMessage } from './visible.js'

const NAMES: readonly (readonly [string, string])[] = [
  ['srv/a\x1b[31mRED\nwarning: fake.key', 'srv/a\\x1b[31mRED\\x0awarning: fake.key'],
  ['\x00\t\r\x7f\x80\x9b2J\x9f', '\\x00\\x09\\x0d\\x7f\\x80\\x9b2J\\x9f'],
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
