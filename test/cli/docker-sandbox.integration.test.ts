import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findTool } from '@c2m/process'
import { startDockerDaemon } from '@c2m/testkit'
import { expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { isRoot } from '../support/ordinary-user.js'
import { WORK } from '../support/paths.js'

const usable = isRoot && (await findTool('dockerd')) !== undefined
if (!usable) console.warn('skipped: --sandbox docker (starts a daemon: needs root and apt-get install docker.io)')

it.skipIf(!usable)('packages are installed by a container engine where namespaces are forbidden', async () => {
  const folder = await mkdtemp(join(WORK, 'docker-'))
  await using daemon = await startDockerDaemon()
  try {
    const disk = join(folder, 'disk.img')
    // the tests' daemon has no bridge
    const flags = ['--sandbox', 'docker', '--net', 'host', '--kernel', 'cloud', '--refresh']
    const { stderr } = await c2mOk(['container2vm', `oci:${await debian12()}`, '-o', disk, ...flags], {
      env: daemon.env,
    })
    expect(stderr).toContain('install')
    const table = JSON.parse(execFileSync('sfdisk', ['--json', disk], { encoding: 'utf8' })) as {
      partitiontable: { partitions: { start: number }[] }
    }
    const root = `${disk}?offset=${(table.partitiontable.partitions.at(-1)?.start ?? 0) * 512}`
    execFileSync('e2fsck', ['-fn', root], { stdio: 'pipe' })
    expect(execFileSync('debugfs', ['-R', 'ls -p /boot', root], { encoding: 'utf8' })).toContain('-cloud-amd64')
    expect(await daemon.docker('ps', '--all', '--quiet')).toBe('')
    expect(await daemon.docker('images', '--all', '--quiet')).toBe('')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
