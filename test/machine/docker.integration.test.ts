import { mkdtemp, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDockerDaemon, type DockerDaemon } from '@c2m/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2mOk, PROGRAM } from '../support/cli.js'
import { CACHE, WORK } from '../support/paths.js'
import { vm2container } from './support/convert.js'
import { lacks, tool } from './support/tools.js'
import { servicesDisk } from './support/tree.js'

const missing = lacks('images of machines run by Docker', { dockerd: 'docker.io', mke2fs: 'e2fsprogs' }, 'root')
/** Services that failed, or that systemd starts again and again. */
const NOT_RUNNING = ['list-units', '--type=service', '--state=failed,activating', '--plain', '--no-legend']
/** bash alone asks, since the machine has no program for it. */
const ASK = 'exec 3<>/dev/tcp/127.0.0.1/80; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3'
/** The whole system works: its packages are sound, names and rights are there. */
const SOUND = '. /etc/os-release; echo $ID; dpkg --audit; apt-get check -qq; getent passwd redis; su redis -s /bin/id'

describe.skipIf(missing)('images of machines under Docker', () => {
  let folder = ''
  let disk = ''
  let daemon: DockerDaemon
  const docker = (...args: readonly string[]) => daemon.docker(...args)
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'docker-'))
    disk = join(folder, 'Web Server.ext4')
    await tool('cp', ['--sparse=always', await servicesDisk(), disk])
    daemon = await startDockerDaemon()
  })
  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('what is written by default is loaded with its name, and its system works', async () => {
    const { stdout } = await c2mOk(['vm2container', disk], { cwd: folder })
    expect(existsSync(join(folder, 'web-server.docker.tar'))).toBe(true)
    expect(stdout).toContain('docker load -i web-server.docker.tar')
    expect(await docker('load', '-i', join(folder, 'web-server.docker.tar'))).toContain('web-server:latest')
    await rm(join(folder, 'web-server.docker.tar'))
    const run = ['run', '--rm', '--network', 'none', '--entrypoint', 'sh', 'web-server:latest', '-c']
    const lines = (await docker(...run, SOUND)).trim().split('\n')
    expect(lines).toEqual(['debian', expect.stringMatching(/^redis:x:/), expect.stringMatching(/^uid=\d+\(redis\)/)])
    expect(await docker('image', 'inspect', '--format', '{{json .Config.ExposedPorts}}', 'web-server')).toContain(
      '80/tcp',
    )
  })

  /** Waits until the web server of a container answers. */
  const page = async (name: string): Promise<string> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await docker('exec', name, 'bash', '-c', ASK)
      } catch (error) {
        if (attempt > 100) throw new Error(`no answer; its log:\n${await docker('logs', name)}`, { cause: error })
        await sleep(200)
      }
    }
  }

  /** How a container ends: its exit code, and how long that took in seconds. */
  const stop = async (name: string): Promise<{ code: string; seconds: number }> => {
    const since = Date.now()
    await docker('stop', '--time', '60', name)
    const seconds = (Date.now() - since) / 1000
    const code = (await docker('inspect', '--format', '{{.State.ExitCode}}', name)).trim()
    await docker('rm', name)
    return { code, seconds }
  }

  it('--init service=nginx.service serves its page, and stops when told to', async () => {
    const { result } = await vm2container([disk, '-o', 'docker-daemon:web:1', '--init', 'service=nginx.service'], {
      env: daemon.env,
    })
    expect(result.runCommand).toBe('docker run --rm -p 80:80/tcp web:1')
    expect(result.nextCommand).toBe(result.runCommand)
    await docker('run', '-d', '--name', 'web', '--network', 'none', 'web:1')
    expect(await page('web')).toMatch(/200 OK[^]*Welcome to nginx/)
    expect(await docker('exec', 'web', 'sh', '-c', 'tr "\\0" " " < /proc/1/cmdline')).toContain('daemon off')
    const { code, seconds } = await stop('web')
    expect(code).toBe('0')
    expect(seconds).toBeLessThan(20)
  })

  it('--init systemd reaches its target with the arguments that are printed', async () => {
    const args = [disk, '-o', 'docker-daemon:whole:1', '--init', 'systemd']
    const { result, stderr } = await vm2container(args, { env: daemon.env })
    expect(stderr).toContain('ssh-keygen -A')
    const [, , ...printed] = (result.runCommand ?? '').split(' ')
    expect(printed).toContain('/sys/fs/cgroup:/sys/fs/cgroup:rw')
    const words = printed
      .filter((word) => word !== '--rm')
      .join(' ')
      .replaceAll(/-p \S+ /g, '')
      .split(' ')
    await docker('run', '-d', '--name', 'whole', '--network', 'none', ...words)
    expect(await page('whole')).toContain('Welcome to nginx')
    const state = await docker('exec', 'whole', 'sh', '-c', 'systemctl is-system-running --wait || true')
    const failed = await docker('exec', 'whole', 'systemctl', ...NOT_RUNNING)
    const names = failed.split('\n').flatMap((line) => /^\S+/.exec(line)?.[0] ?? [])
    console.warn(`systemd under Docker on this host: ${state.trim()}; not running: ${names.join(', ') || 'none'}`)
    expect(state).toMatch(/^(?:running|degraded)$/m)
    // redis-server asks for a user namespace (PrivateUsers=), which an ordinary container may not have; host keys stay behind
    expect(names.filter((name) => !['redis-server.service', 'ssh.service'].includes(name))).toEqual([])
    const { code, seconds } = await stop('whole')
    // 137 would be that of a container that had to be killed
    expect(['0', '130']).toContain(code)
    expect(seconds).toBeLessThan(40)
  })

  it('dockerfile: is built by Docker and runs the same', async () => {
    const build = join(folder, 'build')
    await c2mOk(['vm2container', disk, '-o', `dockerfile:${build}`, '--init', 'service=nginx'])
    const env = { ...daemon.env, DOCKER_BUILDKIT: '0' }
    await tool('docker', ['build', '-q', '-t', 'built:1', build], env)
    await rm(build, { recursive: true })
    await docker('run', '-d', '--name', 'built', '--network', 'none', 'built:1')
    expect(await page('built')).toContain('Welcome to nginx')
    expect((await stop('built')).code).toBe('0')
  })

  it('tarball:- is what docker import takes', async () => {
    const script = '"$@" -o tarball:- --quiet | docker import - imported:1'
    const words = [process.execPath, PROGRAM, 'vm2container', disk]
    await tool('sh', ['-c', script, 'sh', ...words], { ...daemon.env, C2M_CACHE_DIR: CACHE })
    expect(await docker('run', '--rm', '--network', 'none', 'imported:1', 'sh', '-c', SOUND)).toContain('debian')
  })
})
