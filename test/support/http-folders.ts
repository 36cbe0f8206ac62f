import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'

export interface ServedFolders extends AsyncDisposable {
  readonly urls: readonly string[]
}

/** A name that is reserved for tests (RFC 6761): only the proxy below knows it. */
const HOST = 'packages.test'

/**
 * Folders over HTTP, by the name that their URL ends with. The sandbox reaches no server on this host, so they are behind a
 * proxy of this process's environment, as mirrors of companies are; other hosts are reached through it as well.
 */
export async function serveFolders(folders: Readonly<Record<string, string>>): Promise<ServedFolders> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '')
    if (url.hostname === HOST) serve(folders, url, response)
    else forward(url, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const before = process.env.http_proxy
  process.env.http_proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    urls: Object.keys(folders).map((name) => `http://${HOST}/${name}`),
    [Symbol.asyncDispose]: () => {
      if (before === undefined) delete process.env.http_proxy
      else process.env.http_proxy = before
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

function serve(folders: Readonly<Record<string, string>>, url: URL, response: ServerResponse): void {
  const path = normalize(decodeURIComponent(url.pathname))
  const [name, folder] = Object.entries(folders).find(([one]) => path.startsWith(`/${one}/`)) ?? []
  const file = name === undefined || folder === undefined ? undefined : join(folder, path.slice(name.length + 1))
  if (file === undefined || !existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end()
  createReadStream(file).pipe(response)
}

function forward(url: URL, request: IncomingMessage, response: ServerResponse): void {
  const sent = send(url, { method: request.method, headers: request.headers }, (got) => {
    response.writeHead(got.statusCode ?? 502, got.headers)
    got.pipe(response)
  })
  sent.on('error', () => response.destroy())
  request.pipe(sent)
}
