import { describe, expect, it } from 'vitest'
import { findFirmware } from './firmware.js'

describe('findFirmware', () => {
  it('takes the first pair of which both files are there', async () => {
    const files = [
      '/usr/share/OVMF/OVMF_CODE_4M.fd',
      '/usr/share/edk2/ovmf/OVMF_CODE.fd',
      '/usr/share/edk2/ovmf/OVMF_VARS.fd',
    ]
    expect(await findFirmware('uefi', 'amd64', async (path) => files.includes(path))).toEqual({
      code: '/usr/share/edk2/ovmf/OVMF_CODE.fd',
      varsTemplate: '/usr/share/edk2/ovmf/OVMF_VARS.fd',
    })
  })

  it('names the package when there is none', async () => {
    const nowhere = async () => false
    await expect(findFirmware('uefi', 'amd64', nowhere)).rejects.toMatchObject({
      code: 'C2M_FIRMWARE_MISSING',
      hint: expect.stringMatching(/install ovmf$/) as string,
      exitCode: 3,
    })
    await expect(findFirmware('uefi', 'arm64', nowhere)).rejects.toMatchObject({
      hint: expect.stringMatching(/qemu-efi-aarch64$/) as string,
    })
  })

  it('leaves the BIOS to QEMU, and knows who has none', async () => {
    expect(await findFirmware('bios', 'amd64')).toEqual({ code: 'bios-256k.bin' })
    await expect(findFirmware('bios', 'arm64')).rejects.toMatchObject({ code: 'C2M_FIRMWARE_UNSUPPORTED' })
    await expect(findFirmware('uefi', 'vax')).rejects.toMatchObject({ code: 'C2M_QEMU_ARCHITECTURE' })
  })
})
