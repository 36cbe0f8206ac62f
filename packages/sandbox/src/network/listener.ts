import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Server as NetServer } from 'node:net'
import { C2mError, lastLines, requireTool } from '@c2m/process'
import { hostPath } from '../namespace/child.js'
import type { Session } from '../namespace/session.js'

/** Squid's, by which a proxy is known in logs. */
const PORT = 3128

const LISTEN = `
const server = require('node:net').createServer()
server.listen({ host: '127.0.0.1', port: ${PORT} }, () => process.send('listening', server, () => process.exit()))
`

/**
 * Has a server of this process listen on the loopback device of the session's network namespace: a helper makes the socket
 * there, with this user's rights to files, and hands it over. A socket stays in the namespace that it was made in.
 * @returns the server's URL in the session
 * @throws C2M_SANDBOX_FAILED
 */
export async function listenInSession(server: Server, session: Session): Promise<string> {
  const nsenter = await requireTool('nsenter', 'the sandbox', 'util-linux')
  const user = session.mapped ? ['--user', '--preserve-credentials'] : []
  const argv = ['--target', String(session.pid), ...user, '--net', '--', process.execPath, '-e', LISTEN]
  const helper = spawn(nsenter, argv, {
    cwd: '/',
    env: { PATH: hostPath() },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let said = ''
  helper.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4096)))
  const handle = await Promise.race([
    once(helper, 'message').then(([, given]) => given as NetServer),
    once(helper, 'close').then(() => undefined),
  ])
  if (handle === undefined) {
    throw new C2mError('C2M_SANDBOX_FAILED', `cannot listen in the network of the sandbox: ${lastLines(said)}`, {
      hint: '--net host has the image’s programs use the network of this host',
    })
  }
  server.listen(handle)
  await once(server, 'listening')
  return `http://127.0.0.1:${PORT}`
}
