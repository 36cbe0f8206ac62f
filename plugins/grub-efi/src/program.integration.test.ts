import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mkimage } from '@c2m/grub'
import { describe, expect, it } from 'vitest'

const installed = existsSync('/usr/lib/grub/x86_64-efi/kernel.img') && existsSync('/usr/bin/grub-mkimage')
if (!installed) console.warn('skipped: GRUB for UEFI is missing (apt-get install grub-common grub-efi-amd64-bin)')

describe.skipIf(!installed)('grub-mkimage', () => {
  it('makes an EFI program with these modules', async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'c2m-grub-efi-'))
    try {
      const output = join(scratch, 'BOOTX64.EFI')
      const [program, ...args] = mkimage({ platform: 'x86_64-efi', output, prefix: '/EFI/BOOT' })
      execFileSync(program!, args)
      const image = await readFile(output)
      // PE/COFF 3.1-3.4: 'MZ', the offset of 'PE\0\0' at 0x3C, machine AMD64, and in the optional header subsystem EFI application
      const header = image.readUInt32LE(0x3c)
      expect(image.toString('latin1', 0, 2)).toBe('MZ')
      expect(image.toString('latin1', header, header + 4)).toBe('PE\0\0')
      expect(image.readUInt16LE(header + 4)).toBe(0x8664)
      expect(image.readUInt16LE(header + 24 + 68)).toBe(10)
      expect(image.includes('/EFI/BOOT\0')).toBe(true)
      expect(image.length).toBeLessThan(4 << 20)
    } finally {
      await rm(scratch, { recursive: true })
    }
  })
})
