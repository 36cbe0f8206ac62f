import { describe, expect, it } from 'vitest'
import { bootInTurn, nameOf, type BootCase } from '../support/boot-case.js'
import { debian12 } from '../support/debian.js'
import { ADD_KERNEL, dhcpLease, healthySystemd, LATER_KERNEL, REMOVE_KERNEL } from '../support/guest.js'
import { ssh } from '../support/ssh.js'

const ENTRIES = 'grep ^LABEL /boot/extlinux/extlinux.conf'
const OWN = expect.stringMatching(/^LABEL 6\.1\.\S+-cloud-amd64$/) as string

const COMMON = { image: 'Debian 12', bootloader: 'extlinux', boots: ['bios', 'bios'] } as const
const CLOUD = ['--kernel', 'cloud'] as const

const CASES: readonly BootCase[] = [
  {
    ...COMMON,
    table: 'MBR',
    remark: 'cloud kernel, another that came later',
    flags: CLOUD,
    first: async (port) => {
      const entries = await ssh(port, `${ADD_KERNEL} && ${ENTRIES}`)
      expect(entries.split('\n')).toEqual([`LABEL ${LATER_KERNEL}`, OWN])
    },
    later: async (port) => {
      expect(await ssh(port, 'cat /proc/cmdline')).toContain(`vmlinuz-${LATER_KERNEL}`)
      expect((await ssh(port, `${REMOVE_KERNEL} && ${ENTRIES}`)).split('\n')).toEqual([OWN])
    },
  },
  {
    ...COMMON,
    table: 'GPT',
    remark: 'cloud kernel, /boot of its own',
    flags: [...CLOUD, '--boot-size', '256M'],
    first: dhcpLease,
  },
]

describe('a Debian image becomes a machine that EXTLINUX boots', () => {
  for (const one of CASES) {
    it(nameOf(one), async ({ task }) => {
      await bootInTurn(one, { image: `oci:${await debian12()}`, healthy: healthySystemd, task })
    })
  }
})
