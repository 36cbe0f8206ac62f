import { access, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { WORK } from '../support/paths.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(WORK, 'verify-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it('--verify fails with the end of the serial log, and keeps the disk under a name that says so', async () => {
  const disk = join(folder, 'broken.qcow2')
  const flags = ['--bootloader', 'grub-pc', '--cmdline', 'init=/bin/false', '--verify']
  const { code, stderr } = await c2m(['container2vm', `oci:${await debian12()}`, '-o', disk, ...flags])
  expect(code).toBe(1)
  expect(stderr).toContain('Kernel panic')
  expect(stderr).toContain('C2M_VERIFY')
  expect(await readdir(folder)).toEqual(['broken.qcow2.does-not-boot'])
  await expect(access(disk)).rejects.toThrow()
})
