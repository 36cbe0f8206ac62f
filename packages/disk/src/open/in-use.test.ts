import { describe, expect, it } from 'vitest'
import { deviceNumbers } from '../block/device-numbers.js'
import { isWriteLocked } from './in-use.js'

describe('isWriteLocked', () => {
  const device = { major: 0xfe, minor: 1 }
  const locked = (...lines: string[]) => isWriteLocked(lines.join('\n') + '\n', device, 42)

  it('sees locks for writing, and the byte by which QEMU says that it writes', () => {
    expect(locked('1: POSIX  ADVISORY  WRITE 700 fe:01:42 0 EOF')).toBe(true)
    expect(locked('1: FLOCK  ADVISORY  WRITE 700 fe:01:42 0 EOF')).toBe(true)
    expect(
      locked('7: OFDLCK ADVISORY  READ  -1 fe:01:42 100 101', '8: OFDLCK ADVISORY  READ -1 fe:01:42 201 201'),
    ).toBe(true)
    expect(locked('7: OFDLCK ADVISORY  READ  -1 fe:01:42 103 103')).toBe(false)
  })

  it('lets readers, other files and those who wait alone', () => {
    expect(locked('7: OFDLCK ADVISORY  READ  -1 fe:01:42 100 100', '8: OFDLCK ADVISORY READ -1 fe:01:42 201 201')).toBe(
      false,
    )
    expect(locked('1: FLOCK  ADVISORY  READ 700 fe:01:42 0 EOF')).toBe(false)
    expect(locked('1: POSIX  ADVISORY  READ 700 fe:01:42 0 EOF')).toBe(false)
    expect(locked('1: POSIX  ADVISORY  WRITE 700 fe:01:43 0 EOF')).toBe(false)
    expect(locked('1: POSIX  ADVISORY  WRITE 700 fe:02:42 0 EOF')).toBe(false)
    expect(
      locked('1: POSIX  ADVISORY  READ 700 fe:01:42 0 EOF', '1: -> POSIX  ADVISORY  WRITE 701 fe:01:42 0 EOF'),
    ).toBe(false)
    expect(locked('', 'rubbish', '1: LEASE  ACTIVE    WRITE 1 fe:01:42 0 EOF')).toBe(false)
  })

  it('takes anonymous devices for each other, whose numbers differ between stat and /proc/locks', () => {
    const line = '1: POSIX  ADVISORY  WRITE 700 00:1f:42 0 EOF'
    expect(isWriteLocked(line, { major: 0, minor: 0x2a }, 42)).toBe(true)
    expect(isWriteLocked(line, { major: 8, minor: 0x1f }, 42)).toBe(false)
  })
})

describe('deviceNumbers', () => {
  it('takes apart what glibc puts together', () => {
    expect(deviceNumbers(0xfe01)).toEqual({ major: 0xfe, minor: 1 })
    expect(deviceNumbers(0x0810)).toEqual({ major: 8, minor: 16 })
    expect(deviceNumbers(0x12345fe67)).toEqual({ major: 0x5fe, minor: 0x123467 })
    expect(deviceNumbers(0x1000_0000_0000 + 0x801)).toEqual({ major: 0x1008, minor: 1 })
  })
})
