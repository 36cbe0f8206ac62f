import { duplexPair, type Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { QmpClient, type QmpEvent } from './qmp.js'

/** Plays QEMU: `answer` gets each command's name. */
function play(answer: (command: string) => string): Duplex {
  const [ours, theirs] = duplexPair()
  theirs.write('{"QMP": {"version": {}, "capabilities": []}}\r\n')
  theirs.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n')) {
      theirs.write(answer((JSON.parse(line) as { execute: string }).execute))
    }
  })
  return ours
}

describe('QmpClient', () => {
  it('negotiates, commands and hears events in between', async () => {
    const events: QmpEvent[] = []
    const stream = play((command) =>
      command === 'query-status'
        ? '{"event": "STOP", "timestamp": {}}\r\n{"return": {"status": "paused"}}\r\n'
        : '{"return": {}}\r\n',
    )
    const client = await QmpClient.connect(stream, (event) => events.push(event))
    expect(await client.execute('query-status')).toEqual({ status: 'paused' })
    expect(events).toEqual([{ event: 'STOP', data: {} }])
  })

  it('tells why a command was refused', async () => {
    const stream = play((command) =>
      command === 'quit' ? '{"error": {"class": "GenericError", "desc": "no"}}\n' : '{"return": {}}\n',
    )
    const client = await QmpClient.connect(stream, () => undefined)
    await expect(client.execute('quit')).rejects.toMatchObject({ code: 'C2M_QMP', message: 'QEMU refused: no' })
  })

  it.each(['rubbish\n', '[1]\n', 'x'.repeat(2 * 1024 * 1024)])('gives up on what is not QMP: %.10s', async (noise) => {
    await expect(
      QmpClient.connect(
        play(() => noise),
        () => undefined,
      ),
    ).rejects.toMatchObject({ code: 'C2M_QMP' })
  })

  it('fails what waits, and what comes later, when the connection ends', async () => {
    const [ours, theirs] = duplexPair()
    const connecting = QmpClient.connect(ours, () => undefined)
    theirs.destroy()
    ours.destroy()
    await expect(connecting).rejects.toMatchObject({ code: 'C2M_QMP' })
  })
})
