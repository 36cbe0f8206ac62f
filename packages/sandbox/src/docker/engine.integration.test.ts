import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findTool, run } from '@c2m/process'
import { sandboxSuite } from '../testing/suite.js'
import { busybox } from '../testing/tree.js'
import { checkEngine } from './engine.js'

const program = await busybox()
const tools = await Promise.all(['docker', 'dockerd', 'containerd'].map(findTool))
const usable = process.getuid?.() === 0 && tools.every((tool) => tool !== undefined) && program !== undefined
if (!usable)
  console.warn('SKIPPED: the engine tests need root, docker and busybox: apt-get install docker.io busybox-static')

describe.skipIf(!usable)('a sandbox of mode docker', () => {
  let folder: string
  let daemon: ChildProcess
  const before = process.env.DOCKER_HOST

  // a daemon of its own, with nothing in it, that changes nothing on the host
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-docker-'))
    process.env.DOCKER_HOST = `unix://${folder}/sock`
    const places = [
      '--data-root',
      join(folder, 'data'),
      '--exec-root',
      join(folder, 'exec'),
      '--pidfile',
      join(folder, 'pid'),
    ]
    const options = ['--iptables=false', '--bridge=none', '--host', process.env.DOCKER_HOST, ...places]
    daemon = spawn('dockerd', options, { stdio: 'ignore' })
    for (let i = 0; i < 300 && !(await checkEngine()).ok; i++) await sleep(100)
  })
  afterAll(async () => {
    const volumes = await run('docker', ['volume', 'ls', '--quiet'])
    for (const volume of volumes.stdout.trim().split('\n').filter(Boolean))
      await run('docker', ['volume', 'rm', volume])
    const ended = new Promise((resolve) => daemon.once('exit', resolve))
    daemon.kill('SIGTERM')
    await ended
    await run('umount', [join(folder, 'exec', 'netns', 'default')], { accept: [0, 1, 32] })
    if (before === undefined) delete process.env.DOCKER_HOST
    else process.env.DOCKER_HOST = before
    await rm(folder, { recursive: true, force: true })
  })

  if (program !== undefined) sandboxSuite('docker', program)

  it('leaves no container and no image in the engine', async () => {
    expect((await run('docker', ['ps', '--all', '--quiet'])).stdout).toBe('')
    expect((await run('docker', ['images', '--all', '--quiet'])).stdout).toBe('')
  })
})
