import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findTool, run } from '@c2m/process'
import { until } from './tools.js'

export interface TestDocker extends AsyncDisposable {
  /** For programs that shall talk to it. */
  readonly env: NodeJS.ProcessEnv
}

/** A real Docker daemon of its own, without network; needs root. */
export async function startDocker(folder: string): Promise<TestDocker> {
  await mkdir(folder)
  const at = (name: string) => join(folder, name)
  const address = `unix://${at('docker.sock')}`
  const env = { PATH: process.env.PATH, HOME: folder, DOCKER_HOST: address, DOCKER_BUILDKIT: '0' }
  const paths = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')]
  const options = ['--iptables=false', '--bridge=none', '-H', address, ...paths]
  // in a mount namespace of its own: what it mounts is nobody else's, and goes with it
  const unshare = ['--mount', '--propagation', 'private', (await findTool('dockerd'))!]
  const daemon = spawn('unshare', [...unshare, ...options], { stdio: 'ignore' })
  await until('dockerd', 60, async () => (await run('docker', ['version'], { env })).exitCode === 0)
  return {
    env,
    [Symbol.asyncDispose]: async () => {
      if (daemon.exitCode === null) {
        daemon.kill()
        await once(daemon, 'exit')
      }
    },
  }
}
