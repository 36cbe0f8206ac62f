import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '@c2m/process'
import { freePort, until } from './tools.js'

export interface TestRegistry extends AsyncDisposable {
  /** HOST:PORT */
  readonly host: string
  /** Where it keeps its data. */
  readonly data: string
}

/** A real registry on the loopback interface that wants a password. */
export async function startRegistry(
  folder: string,
  credentials: string,
  settings: string[] = [],
): Promise<TestRegistry> {
  await mkdir(folder)
  const port = await freePort()
  const host = `localhost:${port}`
  const [user, password] = credentials.split(':') as [string, string]
  const { stdout } = await run('htpasswd', ['-Bbn', user, password])
  await writeFile(join(folder, 'htpasswd'), stdout)
  const data = join(folder, 'data')
  const configuration = [
    'version: 0.1',
    'log: { level: error }',
    `storage: { filesystem: { rootdirectory: ${data} } }`,
    `http: { addr: 127.0.0.1:${port} }`,
    `auth: { htpasswd: { realm: test, path: ${folder}/htpasswd } }`,
    ...settings,
  ]
  await writeFile(join(folder, 'registry.yml'), configuration.join('\n'))
  const registry = spawn('docker-registry', ['serve', join(folder, 'registry.yml')], { stdio: 'ignore' })
  await until('the registry', 20, async () => (await fetch(`http://${host}/v2/`)).status === 401)
  return {
    host,
    data,
    [Symbol.asyncDispose]: async () => {
      if (registry.exitCode !== null) return
      registry.kill()
      await once(registry, 'exit')
    },
  }
}
