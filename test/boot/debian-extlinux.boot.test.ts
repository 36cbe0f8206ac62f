import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootTwice, nameOf, type BootCase } from '../support/boot-twice.js'
import { debian12 } from '../support/debian.js'
import { aptInstall, dhcpLease, healthySystemd } from '../support/guest.js'
import { WORK } from '../support/paths.js'
import { ssh } from '../support/ssh.js'

/** A new kernel comes into the menu by itself. */
async function addKernel(port: number): Promise<void> {
  const entries = () => ssh(port, 'grep ^LABEL /boot/extlinux/extlinux.conf')
  const before = await entries()
  await aptInstall(port, 'linux-image-cloud-amd64')
  expect((await entries()).split('\n')).toEqual([expect.stringContaining('cloud'), before])
}

const COMMON = { image: 'Debian 12', bootloader: 'extlinux', firmwares: ['bios'] } as const

const CASES: readonly BootCase[] = [
  {
    ...COMMON,
    table: 'MBR',
    remark: 'new kernel in the guest',
    flags: [],
    first: addKernel,
    second: async (port) => expect(await ssh(port, 'uname -r')).toContain('cloud'),
  },
  { ...COMMON, table: 'GPT', remark: '/boot of its own', flags: ['--boot-size', '256M'], first: dhcpLease },
]

describe('a Debian image becomes a machine that EXTLINUX boots', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'boot-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  for (const one of CASES) {
    it(nameOf(one), async ({ task }) => {
      await bootTwice(one, { folder, image: `oci:${await debian12()}`, healthy: healthySystemd, task })
    })
  }
})
