import { describe, expect, it } from 'vitest'
import { BOOTLOADER_NAMES, DISTRO_NAMES, namesIn } from './names.js'

describe('namesIn', () => {
  it.each([
    ["the machine's own Debian", ['debian']],
    ['const debianPackage = 1', ['debian']],
    ['uefiDebianPackage', ['debian']],
    ['isBusybox && DEBIAN_FRONTEND', ['busybox', 'debian']],
    ['alpine:3.9', ['alpine']],
    ['openSUSE and Red Hat', ['opensuse', 'red hat']],
    ['the systemd Boot', []],
    ['debianising', []],
    ['the misuse of subalpine plants', []],
  ])('finds distributions in %j', (text, names) => {
    expect(namesIn(text, DISTRO_NAMES)).toEqual(names)
  })

  it.each([
    ['grub-efi, GRUB 2, grub2 and grubx64.efi', ['grub']],
    ['installGrub()', ['grub']],
    ['systemd-boot', ['systemd-boot']],
    ['SYSTEMD_BOOT and systemdBoot', ['systemd-boot']],
    ['systemd boots', []],
    ['the rest, systemd-boots of old', ['systemd-boot']],
    ['Lilongwe, grubby hands', []],
  ])('finds boot loaders in %j', (text, names) => {
    expect(namesIn(text, BOOTLOADER_NAMES)).toEqual(names)
  })
})
