import { duplexPair, type Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { SerialConsole } from './serial-console.js'

function open(): { console: SerialConsole; guest: Duplex } {
  const [ours, guest] = duplexPair()
  return { console: new SerialConsole(ours), guest }
}

describe('SerialConsole', () => {
  it('finds a text that comes byte by byte, then looks after it', async () => {
    const { console, guest } = open()
    const login = console.waitFor('login: ', 1000)
    for (const byte of 'host login: x$ login: ') guest.write(byte)
    expect((await login).index).toBe(5)
    expect((await console.waitFor(/(.)\$ login: $/, 1000))[1]).toBe('x')
  })

  it('takes a string literally', async () => {
    const { console, guest } = open()
    guest.write('aXb a.b')
    expect((await console.waitFor('a.b', 1000)).index).toBe(4)
  })

  it('joins characters that were cut', async () => {
    const { console, guest } = open()
    const bytes = Buffer.from('é!')
    guest.write(bytes.subarray(0, 1))
    guest.write(bytes.subarray(1))
    await console.waitFor('é!', 1000)
  })

  it('tells the end of the output, without its escapes, when the time is over', async () => {
    const { console, guest } = open()
    guest.write('\x1b[31mno root\x1b[0m\r\n')
    await expect(console.waitFor('login', 50)).rejects.toMatchObject({
      code: 'C2M_GUEST_TIMEOUT',
      message: expect.stringMatching(/"login" within 0.05 s; .*\n {2}no root$/) as string,
    })
  })

  it('tells that the guest ended, to those who wait and those who come later', async () => {
    const { console, guest } = open()
    const waiting = console.waitFor('login', 1000)
    guest.write('bye')
    await delay(5)
    console.end('the guest powered off')
    await expect(waiting).rejects.toMatchObject({ code: 'C2M_GUEST_ENDED' })
    await expect(console.waitFor('login', 1000)).rejects.toThrow(/powered off/)
    expect((await console.waitFor('bye', 1000)).index).toBe(0)
  })

  it('stops waiting when told', async () => {
    const { console } = open()
    const scope = new AbortController()
    const waiting = console.waitFor('login', 1000, scope.signal)
    scope.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
    await expect(console.waitFor('login', 1000, scope.signal)).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
  })

  it('remembers the last million characters, and still finds what comes', async () => {
    const { console, guest } = open()
    guest.on('error', () => undefined)
    for (let i = 0; i < 50; i++) if (!guest.write(Buffer.alloc(65536, 'x'))) await delay(1)
    guest.write('end')
    await console.waitFor('end', 1000)
    expect(console.log()).toHaveLength(1024 * 1024)
    guest.write('more')
    await console.waitFor(/^more$/, 1000)
  })

  it('sends what is typed', async () => {
    const { console, guest } = open()
    console.send('root\r')
    expect(String(await new Promise((resolve) => guest.once('data', resolve)))).toBe('root\r')
  })
})
