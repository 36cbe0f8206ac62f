import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mkimage } from '@c2m/grub'
import { describe, expect, it } from 'vitest'
import { bootCode, coreImage, MAX_CORE, SECTOR } from './boot-code.js'

const folder = '/usr/lib/grub/i386-pc'
const installed = existsSync(`${folder}/boot.img`) && existsSync('/usr/bin/grub-mkimage')
if (!installed) console.warn('skipped: GRUB for BIOS is missing (apt-get install grub-common grub-pc-bin)')

describe.skipIf(!installed)("GRUB's own images", () => {
  it('are recognised and patched', async () => {
    const boot = await readFile(`${folder}/boot.img`)
    const code = Buffer.from(bootCode(boot, 2048))
    expect(code.readBigUInt64LE(0x5c)).toBe(2048n)
    expect(differences(boot, code)).toEqual([0x5c, 0x5d, 0x66, 0x67])

    const scratch = await mkdtemp(join(tmpdir(), 'c2m-grub-pc-'))
    try {
      const output = join(scratch, 'core.img')
      const [program, ...args] = mkimage({ platform: 'i386-pc', output, prefix: '(,gpt3)/boot/grub' })
      execFileSync(program!, args)
      const core = await readFile(output)
      expect(core.length).toBeLessThan(MAX_CORE)
      const written = Buffer.from(coreImage(core, 2048, 1 << 20))
      expect(written.length % SECTOR).toBe(0)
      expect(differences(core, written)).toEqual([0x1f4, 0x1f5])
      expect(Buffer.from(coreImage(core, 1, 2047 * SECTOR)).subarray(0, core.length)).toEqual(core)
    } finally {
      await rm(scratch, { recursive: true })
    }
  })
})

function differences(a: Buffer, b: Buffer): number[] {
  return Array.from({ length: Math.min(a.length, b.length) }, (_, at) => at).filter((at) => a[at] !== b[at])
}
