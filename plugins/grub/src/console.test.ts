import { describe, expect, it } from 'vitest'
import { serialCommand, serialPort, withConsoles } from './console.js'

describe('serialPort', () => {
  it.each([
    [['tty0', 'ttyS0,115200n8'], { unit: 0, speed: 115200 }],
    [['ttyS1'], { unit: 1, speed: 9600 }],
    [['ttyS3,38400'], { unit: 3, speed: 38400 }],
    [['ttyS9,115200', 'ttyS0,57600n8r'], { unit: 0, speed: 57600 }],
    [['tty0'], undefined],
    [['ttyAMA0,115200', 'hvc0'], undefined],
    [['ttyS0,12345'], undefined],
    [['ttyS0,115200; halt'], undefined],
  ])('of %j is %j', (consoles, port) => {
    expect(serialPort(consoles)).toEqual(port)
  })

  it('has a command', () => {
    expect(serialCommand({ unit: 1, speed: 9600 })).toBe('serial --unit=1 --speed=9600')
  })
})

describe('withConsoles', () => {
  it('keeps their order, at the end, without repeating one', () => {
    expect(withConsoles(['console=ttyS0', 'quiet', 'console=hvc0'], ['tty0', 'ttyS0'])).toEqual([
      'quiet',
      'console=hvc0',
      'console=tty0',
      'console=ttyS0',
    ])
  })
})
