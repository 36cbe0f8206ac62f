import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface TestServer extends AsyncDisposable {
  /** HOST:PORT on the loopback interface; every server has an origin of its own. */
  readonly host: string
  readonly requests: IncomingMessage[]
  /** All that it was sent: methods, paths, headers and bodies. */
  readonly seen: () => string
}

export async function serve(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<TestServer> {
  const requests: IncomingMessage[] = []
  let seen = ''
  const server = createServer((request, response) => {
    requests.push(request)
    seen += `${request.method} ${request.url} ${JSON.stringify(request.headers)}\n`
    const { push } = request
    request.push = (chunk: unknown, ...rest) => {
      if (chunk instanceof Uint8Array) seen += Buffer.from(chunk.subarray(0, 10_000)).toString('latin1')
      return push.call(request, chunk, ...rest)
    }
    void listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    seen: () => seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
