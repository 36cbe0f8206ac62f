import { afterEach, describe, expect, it, vi } from 'vitest'
import { makeReporter, type Verbosity } from './reporters.js'

const MESSAGE = 'two:\n  /a\x1b[31mRED\nwarning: fake.key\r\x9b2J\u202e\u2028'

/** What a reporter writes to stderr. */
function written(verbosity: Verbosity, json = false): string {
  const text: string[] = []
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => text.push(String(chunk)) > 0)
  const reporter = makeReporter(verbosity, json)
  reporter.stage(MESSAGE)()
  reporter.info(MESSAGE)
  reporter.warn(MESSAGE)
  reporter.detail(MESSAGE)
  return text.join('')
}

afterEach(() => vi.restoreAllMocks())

describe('lines for people', () => {
  it('have no control characters of somebody else’s, and none that looks like another', () => {
    const text = written('verbose')
    expect(text).toContain('\nwarning: two:\n  /a\\x1b[31mRED\n  warning: fake.key\\x0d\\x9b2J\\u202e\\u2028\n')
    expect(text.replace(/^.*✓/s, '')).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/)
    // the one of the reporter's own
    expect(text.split('\n').filter((line) => line.startsWith('warning:'))).toEqual(['warning: two:'])
  })
  it('have of programs’ output what is no escape sequence', () => {
    expect(written('verbose')).toContain('    two:\n  /aRED\n')
  })
})

it('events are what was said', () => {
  const text = written('verbose', true)
  expect(text).toMatch(/^[\n\x20-\x7e]*$/)
  const events = text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { message?: string; title?: string }).message)
  expect(events.slice(2)).toEqual([MESSAGE, MESSAGE, MESSAGE])
})
