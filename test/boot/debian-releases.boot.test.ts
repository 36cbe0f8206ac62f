import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuestHardware } from '@c2m/qemu'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootInTurn, nameOf, type BootCase } from '../support/boot-case.js'
import { c2mOk } from '../support/cli.js'
import { debian11, debian12, debian12Slim, debian13 } from '../support/debian.js'
import { dhcpLease, healthySystemd, runGuest } from '../support/guest.js'
import { WORK } from '../support/paths.js'
import { sshKey } from '../support/ssh.js'

const COMMON = { bootloader: 'grub', table: 'GPT', flags: [], first: dhcpLease } as const

const CASES: readonly (BootCase & { readonly source: () => Promise<string> })[] = [
  { ...COMMON, source: debian13, image: 'Debian 13 (slim)', boots: ['uefi', 'uefi'] },
  { ...COMMON, source: debian11, image: 'Debian 11', boots: ['bios', 'bios'] },
]

const HARDWARE: readonly GuestHardware[] = [
  { disk: 'ahci', network: 'e1000' },
  { disk: 'pvscsi', network: 'vmxnet3' },
  { disk: 'nvme', network: 'virtio' },
]

describe('Debian images become machines', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'boot-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  for (const one of CASES) {
    it(nameOf(one), async ({ task }) => {
      await bootInTurn(one, { image: `oci:${await one.source()}`, healthy: healthySystemd, task })
    })
  }

  async function convert(name: string, image: string, flags: readonly string[]): Promise<string> {
    const disk = join(folder, `${name}.qcow2`)
    await c2mOk(['container2vm', `oci:${image}`, '-o', disk, '--ssh-key', await sshKey(), ...flags])
    return disk
  }

  it('Debian 12 boots on other controllers and network cards', async () => {
    const disk = await convert('hardware', await debian12(), [])
    for (const hardware of HARDWARE) await runGuest(disk, 'bios', healthySystemd, { hardware, snapshot: true })
    await rm(disk)
  })

  it('Debian 12 (slim) takes less than 400 MB with the cloud kernel', async () => {
    const disk = await convert('small', await debian12Slim(), ['--kernel', 'cloud'])
    const allocated = (await stat(disk)).blocks * 512
    console.log(`Debian 12 (slim) with --kernel cloud: ${(allocated / 1e6).toFixed(0)} MB allocated`)
    expect(allocated).toBeLessThan(400e6)
    await rm(disk)
  })
})
