/** What distributions are called, in lower case: only their own plugins know them. */
export const DISTRO_NAMES = [
  ...[
    'almalinux',
    'alpine',
    'arch linux',
    'archlinux',
    'busybox',
    'centos',
    'debian',
    'devuan',
    'fedora',
    'gentoo',
    'linuxmint',
  ],
  ...[
    'mageia',
    'manjaro',
    'nixos',
    'opensuse',
    'red hat',
    'redhat',
    'rhel',
    'rocky linux',
    'slackware',
    'suse',
    'ubuntu',
  ],
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
  const anyCase = name.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`).replaceAll('-', '[-_]')
  const capital = name.replace(/(?:^|[- ])([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const camel = `${capital.charAt(0).toLowerCase()}${capital.slice(1)}`
  // 'grub2', 'grubx64' and 'Grubs' are the same name; more letters make another word, unless a capital begins it
  const word = `(?<![A-Za-z])(?:${anyCase}(?![A-Za-z]{2})|(?:${camel}|${capital})(?![a-z]{2}))`
  return new RegExp(`${word}|(?<=[a-z])${capital}(?![a-z]{2})`)
}
