/** What distributions are called, in lower case: only their own plugins know them. */
export const DISTRO_NAMES = [
  ...['almalinux', 'alpine', 'archlinux', 'busybox', 'centos', 'debian', 'devuan', 'fedora', 'gentoo', 'linuxmint'],
  ...['mageia', 'manjaro', 'nixos', 'opensuse', 'redhat', 'rhel', 'rockylinux', 'slackware', 'suse', 'ubuntu'],
] as const

/** What boot loaders and their programs are called, in lower case. */
export const BOOTLOADER_NAMES = [
  ...['bootctl', 'efibootmgr', 'extlinux', 'grub', 'isolinux', 'lilo', 'limine', 'refind', 'syslinux', 'systemd-boot'],
] as const

/**
 * The names that stand in a text as words or as parts of identifiers, 'debianPackage' as well as 'DEBIAN_FRONTEND': not
 * inside other words ('lilo' is not in 'lilongwe').
 */
export function namesIn(text: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => pattern(name).test(text))
}

function pattern(name: string): RegExp {
  const capital = name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const camel = `${capital.charAt(0).toLowerCase()}${capital.slice(1)}`
  const forms = [name, capital, camel, name.toUpperCase().replaceAll('-', '[-_]')]
  // 'grub2', 'grubx64' and 'Grubs' are the same name; more small letters make another word
  return new RegExp(`(?:(?<![A-Za-z])(?:${forms.join('|')})|(?<=[a-z])${capital})(?![a-z]{2})`)
}
