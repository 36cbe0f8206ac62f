import { freePort, makeTemporaryFolder, requireTool, run } from '@c2m/process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface DockerRegistry extends AsyncDisposable {
  /** 'localhost:PORT' */
  readonly host: string
  /** What a client's DOCKER_CONFIG names: a folder with a config.json that logs in. */
  readonly login: string
}

const ATTEMPTS = 200

/**
 * A real registry of its own on the loopback interface, with nothing in it, that wants a password.
 * @param credentials 'USER:PASSWORD'
 * @throws C2M_TOOL_MISSING; an error when it does not answer within 20 seconds
 */
export async function startDockerRegistry(credentials: string): Promise<DockerRegistry> {
  const [program, htpasswd] = [
    await requireTool('docker-registry', 'a registry', 'docker-registry'),
    await requireTool('htpasswd', 'a registry with a password', 'apache2-utils'),
  ]
  const folder = await makeTemporaryFolder(tmpdir(), 'registry')
  const at = (name: string) => join(folder.path, name)
  const port = await freePort()
  const host = `localhost:${port}`
  const [user = '', password = ''] = credentials.split(':')
  await writeFile(at('htpasswd'), (await run(htpasswd, ['-Bbn', user, password])).stdout)
  await mkdir(at('login'))
  await writeFile(join(at('login'), 'config.json'), JSON.stringify({ auths: { [host]: { auth: btoa(credentials) } } }))
  const configuration = [
    'version: 0.1',
    'log: { level: error }',
    `storage: { filesystem: { rootdirectory: ${at('data')} } }`,
    `http: { addr: 127.0.0.1:${port} }`,
    `auth: { htpasswd: { realm: test, path: ${at('htpasswd')} } }`,
  ]
  await writeFile(at('registry.yml'), configuration.join('\n'))
  const registry = spawn(program, ['serve', at('registry.yml')], { stdio: 'ignore' })
  const stop = async () => {
    if (registry.exitCode === null && registry.signalCode === null) {
      registry.kill()
      await once(registry, 'exit')
    }
    await folder[Symbol.asyncDispose]()
  }
  for (let attempt = 0; attempt < ATTEMPTS && registry.exitCode === null; attempt++) {
    const status = (await fetch(`http://${host}/v2/`).catch(() => undefined))?.status
    if (status === 401) return { host, login: at('login'), [Symbol.asyncDispose]: stop }
    await sleep(100)
  }
  await stop()
  throw new Error('docker-registry does not answer')
}
