import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { C2mError, findTool, lastLines, requireTool } from '@c2m/process'
import { hostPath } from '../namespace/child.js'
import type { Session } from '../namespace/session.js'

/** Its name server (slirp4netns(1)), which asks those of the host. */
export const RESOLVER = 'nameserver 10.0.2.3\n'

/** Whether a network in user space can be had: the program, and the device that it needs. */
export async function hasUserNetwork(): Promise<boolean> {
  if ((await findTool('slirp4netns')) === undefined) return false
  return access('/dev/net/tun', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
}

/**
 * Joins the session's network namespace to the outside by slirp4netns(1): everything goes out by sockets of this user, and
 * the host's loopback device is not reached. It ends with this process.
 * @throws C2M_TOOL_MISSING (exit code 3), C2M_SANDBOX_FAILED
 */
export async function attachUserNetwork(session: Session): Promise<AsyncDisposable> {
  const program = await requireTool('slirp4netns', '--net private', 'slirp4netns')
  const nsenter = await requireTool('nsenter', '--net private', 'util-linux')
  // as the namespace's root, which owns the network namespace too
  const user = session.mapped ? ['--user', '--setuid', '0', '--setgid', '0'] : []
  const entering = ['--target', String(session.pid), ...user, '--', program]
  const hardened = ['--disable-host-loopback', '--enable-sandbox', '--enable-seccomp']
  const files = ['--ready-fd=3', '--exit-fd=4']
  const target = ['--netns-type=path', `/proc/${session.pid}/ns/net`, 'tap0']
  const child = spawn(nsenter, [...entering, '--configure', '--mtu=65520', ...hardened, ...files, ...target], {
    cwd: '/',
    env: { PATH: hostPath() },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4096)))
  const ended = once(child, 'close')
  const ready = child.stdio[3] as Readable
  const [data] = (await Promise.race([once(ready, 'data'), ended.then(() => [undefined])])) as [Buffer | undefined]
  const end = async () => {
    child.kill('SIGTERM')
    await ended
  }
  if (data?.toString() === '1') return { [Symbol.asyncDispose]: end }
  await end()
  throw new C2mError('C2M_SANDBOX_FAILED', `slirp4netns cannot join the sandbox to the network: ${lastLines(said)}`, {
    hint: 'use --net host, or --net none',
  })
}
