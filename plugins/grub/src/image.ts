import type { ExecStep } from '@c2m/plugin-api'
import { installedFolder, packagedFolder, type Platform } from './platform.js'

/**
 * What the menu, the search for its file system and the start of Linux need. All of it is in the image itself, so that
 * a boot does not depend on modules that a later upgrade may have replaced.
 */
const COMMON_MODULES = [
  ...['part_gpt', 'part_msdos', 'ext2', 'fat'],
  ...['normal', 'configfile', 'search', 'search_fs_uuid', 'search_fs_file', 'search_label', 'regexp'],
  ...['linux', 'gzio', 'echo', 'test', 'true', 'loadenv', 'minicmd', 'ls', 'cat', 'boot', 'halt', 'reboot', 'sleep'],
]

export function modules(platform: Platform): readonly string[] {
  if (platform === 'i386-pc') return ['biosdisk', ...COMMON_MODULES, 'serial', 'terminal']
  if (platform === 'arm64-efi') return [...COMMON_MODULES, 'terminal', 'all_video', 'efifwsetup']
  return [...COMMON_MODULES, 'serial', 'terminal', 'all_video', 'efifwsetup']
}

export interface Image {
  readonly platform: Platform
  /** Absolute in the guest. */
  readonly output: string
  /** GRUB's $prefix, e.g. '(,gpt3)/boot/grub'. */
  readonly prefix: string
}

/** grub-mkimage(1). */
export function mkimage({ platform, output, prefix }: Image): readonly string[] {
  return [
    ...['grub-mkimage', '-O', platform, '-d', packagedFolder(platform), '-o', output, '-p', prefix],
    ...modules(platform),
  ]
}

/** Copies what grub-install would copy: modules, their lists and, for BIOS, the boot sector. */
export function copyModules(id: string, platform: Platform): ExecStep {
  const files = platform === 'i386-pc' ? '"$1"/*.mod "$1"/*.lst "$1"/boot.img' : '"$1"/*.mod "$1"/*.lst'
  return {
    id,
    title: `copy GRUB's ${platform} modules to ${installedFolder(platform)}`,
    phase: 'packages',
    do: 'exec',
    argv: [
      ...[
        'sh',
        '-ec',
        `rm -rf "$2"; mkdir -p "$2"; cp ${files} "$2"; if [ -e "$1"/modinfo.sh ]; then cp "$1"/modinfo.sh "$2"; fi`,
      ],
      ...['sh', packagedFolder(platform), installedFolder(platform)],
    ],
  }
}

export function makeImage(id: string, image: Image): ExecStep {
  return { id, title: `build ${image.output}`, phase: 'packages', do: 'exec', argv: mkimage(image) }
}

/** Answers debconf's questions (debconf-set-selections(1)) for later upgrades in the guest. */
export function answerDebconf(id: string, answers: readonly string[]): ExecStep {
  return {
    id,
    title: 'answer the questions that upgrades of GRUB will ask',
    phase: 'packages',
    do: 'exec',
    argv: ['debconf-set-selections'],
    stdin: answers.map((answer) => `${answer}\n`).join(''),
  }
}
