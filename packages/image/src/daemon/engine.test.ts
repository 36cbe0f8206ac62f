import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { serve } from '../testing/http-server.js'
import { getJson, postStream, type Engine } from './engine.js'

function engineAt(host: string): Engine {
  const [name = '', port] = host.split(':')
  return { address: `tcp://${host}`, target: { host: name, port: Number(port) } }
}

/** An answer that never ends. */
function endless(status: number, response: ServerResponse): void {
  response.writeHead(status)
  const chunk = Buffer.alloc(1024 * 1024, 'A')
  const more = () => {
    while (response.write(chunk));
  }
  response.on('drain', more)
  more()
}

const failed = (message: string) =>
  expect.objectContaining({
    code: 'C2M_DAEMON_FAILED',
    message: expect.stringContaining(message) as string,
  }) as Error

describe('a daemon that means ill', () => {
  it.each([200, 404, 500])('cannot answer without end: status %i', async (status) => {
    await using server = await serve((_, response) => endless(status, response))
    const engine = engineAt(server.host)
    const error = failed('it answers with more than 8388608 bytes')
    await expect(getJson(engine, '/images/x/json', undefined)).rejects.toThrow(error)
    async function* source() {
      yield Buffer.from('tar')
    }
    const body = { type: 'application/x-tar', size: 3, source: source() }
    await expect(postStream(engine, '/images/load', body, undefined)).rejects.toThrow(error)
  })

  it('is not followed to another host', async () => {
    await using other = await serve((_, response) => response.end('{}'))
    await using server = await serve((_, response) =>
      response.writeHead(307, { location: `http://${other.host}/` }).end(),
    )
    await expect(getJson(engineAt(server.host), '/images/x/json', undefined)).rejects.toThrow(failed('status 307'))
    expect(other.requests).toEqual([])
  })
})
