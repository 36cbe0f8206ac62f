import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
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
  const daemon = spawn((await findTool('dockerd'))!, options, { stdio: 'ignore' })
  await until('dockerd', 60, async () => (await run('docker', ['version'], { env })).exitCode === 0)
  return {
    env,
    [Symbol.asyncDispose]: async () => {
      if (daemon.exitCode === null) {
        daemon.kill()
        await once(daemon, 'exit')
      }
      // what a daemon that was killed may leave mounted
      const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '')
      for (const path of mounts.filter((mount) => mount.startsWith(`${folder}/`)).reverse())
        await run('umount', ['-l', path], { accept: [0, 1, 32] })
    },
  }
}
