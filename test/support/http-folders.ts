import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'

export interface ServedFolders extends AsyncDisposable {
  readonly urls: readonly string[]
}

/**
 * Folders over HTTP on the loopback interface, by the name that their URL ends with.
 * @param preferredPort the same each time when it is free, so that an image with the URLs, and with it the cached layers, stay the same
 */
export async function serveFolders(
  folders: Readonly<Record<string, string>>,
  preferredPort: number,
): Promise<ServedFolders> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(request.url ?? ''))
    const [name, folder] = Object.entries(folders).find(([one]) => path.startsWith(`/${one}/`)) ?? []
    const file = name === undefined || folder === undefined ? undefined : join(folder, path.slice(name.length + 1))
    if (file === undefined || !existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end()
    createReadStream(file).pipe(response)
  })
  await listen(server, preferredPort).catch(() => listen(server, 0))
  const { port } = server.address() as AddressInfo
  return {
    urls: Object.keys(folders).map((name) => `http://127.0.0.1:${port}/${name}`),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve())
  })
}
