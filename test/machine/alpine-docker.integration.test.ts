import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDockerDaemon, type DockerDaemon } from '@c2m/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alpineImage, missingForAlpine, serveRepositories } from '../support/alpine.js'
import { c2mOk } from '../support/cli.js'
import type { ServedFolders } from '../support/http-folders.js'
import { WORK } from '../support/paths.js'
import { sshKey } from '../support/ssh.js'
import { vm2container } from './support/convert.js'
import { lacks } from './support/tools.js'

const lacking = missingForAlpine(true)
if (lacking !== undefined) console.warn(`skipped: ${lacking} is not there`)
const missing = lacks('images of machines run by Docker', { dockerd: 'docker.io' }, 'root') || lacking !== undefined

describe.skipIf(missing)('images of an Alpine machine (stand-in kernel) under Docker', () => {
  let folder = ''
  let disk = ''
  let repositories: ServedFolders
  let daemon: DockerDaemon
  const docker = (...args: readonly string[]) => daemon.docker(...args)
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'docker-'))
    repositories = await serveRepositories()
    const image = await alpineImage(folder, '3.19.4', repositories.urls)
    disk = join(folder, 'machine.qcow2')
    const flags = ['--bootloader', 'grub-pc', '--ssh-key', await sshKey()]
    await c2mOk(['container2vm', `oci:${image}`, '-o', disk, ...flags])
    daemon = await startDockerDaemon()
  })
  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]()
    await repositories?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('--init openrc starts the runlevels, and stops when told to', async () => {
    const args = [disk, '-o', 'docker-daemon:whole:1', '--init', 'openrc']
    const { result } = await vm2container(args, { env: daemon.env })
    expect(await docker('image', 'inspect', '--format', '{{json .Config.ExposedPorts}}', 'whole:1')).toContain('22/tcp')
    const printed = (result.runCommand ?? '').split(' ').slice(2)
    const words = printed.filter((word, at) => word !== '--rm' && word !== '-p' && printed[at - 1] !== '-p')
    await docker('run', '-d', '--name', 'whole', '--network', 'none', ...words)
    let services = ''
    for (let tries = 0; tries < 100 && !/sshd *\[ *started/.test(services); tries++) {
      await sleep(300)
      services = await docker('exec', 'whole', 'rc-status', '--nocolor').catch(() => '')
    }
    expect(services).toMatch(/sshd *\[ *started/)
    expect(services).toMatch(/crond *\[ *started/)
    expect(services).not.toMatch(/crashed|stopped/)
    expect(await docker('exec', 'whole', 'ps', '-o', 'args')).not.toContain('getty')
    const since = Date.now()
    await docker('stop', '--time', '60', 'whole')
    expect((Date.now() - since) / 1000).toBeLessThan(40)
  })

  it('--init service=sshd is a service as the only process', async () => {
    await vm2container([disk, '-o', 'docker-daemon:one:1', '--init', 'service=sshd'], { env: daemon.env })
    await docker('run', '-d', '--name', 'one', '--network', 'none', 'one:1')
    await sleep(2000)
    const said = await docker('logs', 'one')
    const processes = await docker('exec', 'one', 'ps', '-o', 'args').catch(() => said)
    expect(processes).toContain('sshd -D')
    await docker('rm', '-f', 'one')
  })
})
