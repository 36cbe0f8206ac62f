import { makeTemporaryFolder, requireTool, run } from '@c2m/process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface DockerDaemon extends AsyncDisposable {
  /** With DOCKER_HOST, for whatever shall use this daemon. */
  readonly env: NodeJS.ProcessEnv
  /** Runs the client and returns what it printed. @throws C2M_COMMAND_FAILED */
  docker(...args: readonly string[]): Promise<string>
}

const ATTEMPTS = 600

/**
 * A real Docker daemon of its own, with nothing in it, that changes nothing on the host: no bridge, no firewall rules. Its
 * containers can use --network host or none. Needs root.
 * @throws C2M_TOOL_MISSING; an error when it does not answer within a minute
 */
export async function startDockerDaemon(): Promise<DockerDaemon> {
  const [dockerd, client] = [
    await requireTool('dockerd', 'a Docker daemon', 'docker.io'),
    await requireTool('docker', 'a Docker daemon', 'docker.io'),
  ]
  const folder = await makeTemporaryFolder(tmpdir(), 'docker')
  const at = (name: string) => join(folder.path, name)
  const socket = `unix://${at('sock')}`
  const env = { ...process.env, DOCKER_HOST: socket }
  const places = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')]
  // in a mount namespace of its own: what it mounts is nobody else's, and goes with it
  const unshare = ['--mount', '--propagation', 'private', dockerd]
  const options = ['--iptables=false', '--bridge=none', '--host', socket, ...places]
  const daemon = spawn('unshare', [...unshare, ...options], { stdio: 'ignore' })
  const docker = async (...args: readonly string[]) => (await run(client, args, { env })).stdout
  const stop = async () => {
    if (daemon.exitCode === null) {
      daemon.kill('SIGTERM')
      await once(daemon, 'exit')
    }
    await folder[Symbol.asyncDispose]()
  }
  for (let attempt = 0; attempt < ATTEMPTS && daemon.exitCode === null; attempt++) {
    const answers = await docker('version').catch(() => undefined)
    if (answers !== undefined) return { env, docker, [Symbol.asyncDispose]: stop }
    await sleep(100)
  }
  await stop()
  throw new Error('dockerd does not answer')
}
