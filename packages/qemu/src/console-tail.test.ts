import { describe, expect, it } from 'vitest'
import { consoleTail } from './console-tail.js'

describe('consoleTail', () => {
  it('shows the last lines, or says that there are none', () => {
    expect(consoleTail('a\r\n\r\nb\r\nc', 2)).toBe('  b\n  c')
    expect(consoleTail('\x1b[2J')).toMatch(/nothing/)
  })
})
