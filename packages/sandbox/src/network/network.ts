import { readFile } from 'node:fs/promises'
import type { Rootfs } from '@c2m/plugin-api'
import { CleanupStack, throwIfAborted, type Reporter } from '@c2m/process'
import type { TemporaryFile } from '../guest/temporary-file.js'
import { HOST_SYS } from '../namespace/scripts.js'
import type { Session } from '../namespace/session.js'
import { listenInSession } from './listener.js'
import { createProxy } from './proxy.js'
import { attachUserNetwork, RESOLVER } from './slirp4netns.js'
import { proxyVariables } from './upstream.js'

/**
 * What the image's programs reach:
 *
 *     http     HTTP and HTTPS servers, by a proxy of this process; not this host
 *     private  everything but this host's loopback device, by slirp4netns
 *     host     what this host reaches, its own loopback device and abstract sockets among it
 *     none     a loopback device of their own
 */
export type NetworkMode = 'http' | 'private' | 'host' | 'none'

export interface Network extends AsyncDisposable {
  /** Variables for the image's programs. */
  readonly environment: Readonly<Record<string, string>>
  /** Lent to the image: the resolver, and names for localhost when it has none. */
  readonly files: readonly TemporaryFile[]
  /** See ContainerOptions. */
  readonly sys: string | undefined
}

interface Surroundings {
  readonly base: Rootfs
  /** Where this host's proxies are taken from. */
  readonly env: NodeJS.ProcessEnv
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
}

/** @throws C2M_TOOL_MISSING (exit code 3), C2M_SANDBOX_FAILED, C2M_INTERRUPTED */
export async function openNetwork(mode: NetworkMode, session: Session, surroundings: Surroundings): Promise<Network> {
  try {
    return await open(mode, session, surroundings)
  } catch (error) {
    // whatever failed, it was because the session had ended
    throwIfAborted(surroundings.signal)
    throw error
  }
}

async function open(mode: NetworkMode, session: Session, { base, env, reporter }: Surroundings): Promise<Network> {
  await using cleanup = new CleanupStack()
  const files: TemporaryFile[] = []
  let environment: Record<string, string> = {}
  let sys: string | undefined
  const lendResolver = (content: string) => files.push({ path: '/etc/resolv.conf', content, mode: 0o644 })
  const own = proxyVariables(env)
  if (mode === 'host') {
    await session.run('show the host’s /sys', ['sh', '-c', HOST_SYS])
    sys = '/tmp/sys'
    environment = own
    const resolver = await readFile('/etc/resolv.conf', 'utf8').catch(() => undefined)
    if (resolver !== undefined) lendResolver(resolver)
  }
  if (mode === 'private') {
    const attached = await attachUserNetwork(session)
    cleanup.defer(() => attached[Symbol.asyncDispose]())
    lendResolver(RESOLVER)
  }
  // the passwords of this host's proxies stay with c2m
  if (mode === 'http' || (mode === 'private' && Object.keys(own).length > 0)) {
    const proxy = createProxy({
      env,
      onRefused: (host) =>
        reporter.warn(
          `the image's programs asked for ${host}, which is this host or its link: refused (--net host allows it)`,
        ),
    })
    cleanup.defer(proxy.close)
    environment = proxiesOf(await listenInSession(proxy.server, session))
  }
  if ((await base.resolve('etc/hosts')) === undefined && mode !== 'none') {
    files.push({ path: '/etc/hosts', content: '127.0.0.1 localhost\n::1 localhost\n', mode: 0o644 })
  }
  const kept = cleanup.release()
  return { environment, files, sys, [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose]() }
}

/** In both spellings: curl(1) reads the small one, others the capital one. */
function proxiesOf(url: string): Record<string, string> {
  const variables = { http_proxy: url, https_proxy: url, no_proxy: 'localhost,127.0.0.1,::1' }
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => [
      [name, value],
      [name.toUpperCase(), value],
    ]),
  )
}
