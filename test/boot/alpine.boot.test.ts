import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alpineImage, missingForAlpine, serveRepositories } from '../support/alpine.js'
import { bootInTurn, nameOf, type BootCase } from '../support/boot-case.js'
import { STATIC_NETWORK } from '../support/guest.js'
import type { ServedFolders } from '../support/http-folders.js'
import { WORK } from '../support/paths.js'
import { ssh } from '../support/ssh.js'

/** A real tree with its own packages and OpenRC; the kernel's and the boot loaders' are stand-ins made of Debian's. */
const IMAGE = 'Alpine 3.19 (stand-in kernel and boot loaders)'

const CASES: readonly BootCase[] = [
  {
    image: IMAGE,
    bootloader: 'extlinux',
    table: 'MBR',
    remark: 'a user, a keyboard',
    flags: ['--user', 'ann:sudo', '--timezone', 'Asia/Tokyo', '--keyboard', 'de:nodeadkeys'],
    boots: ['bios', 'bios'],
    first: async (port) => {
      expect(await ssh(port, 'doas id -un', 'ann')).toBe('root')
      expect(await ssh(port, 'date +%Z')).toBe('JST')
      // a keymap is 7 bytes, 256 flags, then two bytes for each key; German has Z where others have Y
      const key21 = 'dumpkmap | dd bs=1 skip=305 count=1 2>/dev/null'
      expect(await ssh(port, `rc-service -q loadkmap status && ${key21}`)).toBe('z')
    },
  },
  {
    image: IMAGE,
    bootloader: 'extlinux',
    table: 'GPT',
    remark: 'swap',
    flags: ['--swap', '64M'],
    boots: ['bios', 'bios'],
  },
  {
    image: IMAGE,
    bootloader: 'grub-pc',
    table: 'GPT',
    remark: 'static address',
    flags: ['--network', STATIC_NETWORK, '--dns', '10.0.2.3'],
    boots: ['bios', 'bios'],
    first: async (port) => {
      expect(await ssh(port, 'ip -4 route show default')).toContain('via 10.0.2.2')
      expect(await ssh(port, 'cat /etc/resolv.conf')).toBe('nameserver 10.0.2.3')
    },
  },
  { image: IMAGE, bootloader: 'grub-efi', table: 'GPT', flags: [], boots: ['uefi', 'uefi'] },
]

const missing = missingForAlpine(true)
if (missing !== undefined) console.warn(`skipped: ${missing}`)

describe.skipIf(missing !== undefined)('an Alpine 3.19 image becomes a machine', () => {
  let folder = ''
  let image = ''
  let repositories: ServedFolders
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'boot-'))
    repositories = await serveRepositories()
    image = `oci:${await alpineImage(folder, '3.19.4', repositories.urls)}`
  })
  afterAll(async () => {
    await repositories[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  for (const one of CASES) {
    it(nameOf(one), ({ task }) => bootInTurn(one, { image, healthy, task }))
  }
})

/** In one go, since each ssh connection takes an emulated machine seconds; first it waits until the boot is over. */
const REPORT = `
while [ -e /run/openrc/rc.starting ] || [ "$(cat /run/openrc/softlevel)" != default ]; do sleep 1; done
for level in sysinit boot default; do rc-status --format ini $level; done
rc-status --crashed | sed 's/^/crashed: /'
ls /run/openrc/failed | sed 's/^/failed: /'
awk '$2 == "/" { print "root: " $4 }' /proc/mounts
ip -4 -o addr show scope global | sed 's/^/address: /'
echo "logins: $(ps -o args | grep -c '[g]etty.*ttyS0')"
`

async function healthy(port: number): Promise<void> {
  const lines = (await ssh(port, REPORT)).split('\n')
  const services = lines.filter((line) => line.includes('= '))
  expect(services.length).toBeGreaterThan(15)
  expect(services.filter((line) => !/= +started *$/.test(line))).toEqual([])
  expect(lines.filter((line) => /^(?:crashed|failed): /.test(line))).toEqual([])
  expect(lines).toContainEqual(expect.stringMatching(/^root: rw/))
  expect(lines).toContainEqual(expect.stringMatching(/^address: .*inet 10\.0\.2\.15/))
  expect(lines).toContain('logins: 1')
}
