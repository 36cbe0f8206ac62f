import { ConfigurationReader } from '@c2m/linux'
import type { MachineTask, Rootfs } from '@c2m/plugin-api'
import type { Release } from './releases.js'

/** Packages of firmware, and what they are for. */
export interface Firmware {
  /** For messages, e.g. 'the firmware of most network and graphics cards'. */
  readonly what: string
  readonly packages: readonly string[]
  /** Components of the archive that they are in, with all they need. */
  readonly components: readonly string[]
  /** GOARCHes; undefined for all. */
  readonly architectures?: readonly string[]
}

/** In earlier releases a part of firmware-misc-nonfree. */
export const SPLIT_IN_13 = ['firmware-intel-graphics', 'firmware-intel-misc', 'firmware-mediatek']

/**
 * @param component the archive's with firmware that has no sources
 * @param more packages in it that not every release has
 */
export function debianFirmware(
  component: 'non-free' | 'non-free-firmware',
  more: readonly string[] = [],
): readonly Firmware[] {
  return [
    { what: 'firmware with sources', packages: ['firmware-linux-free'], components: ['main'] },
    {
      what: 'the firmware of most network, storage and graphics cards',
      packages: [
        'firmware-atheros',
        'firmware-bnx2',
        'firmware-bnx2x',
        'firmware-brcm80211',
        'firmware-iwlwifi',
        'firmware-linux',
        'firmware-qlogic',
        'firmware-realtek',
        ...more,
      ],
      components: [component],
    },
    {
      what: "the processor's microcode",
      packages: ['amd64-microcode', 'intel-microcode'],
      // iucode-tool was in contrib as long as the microcode was in non-free
      components: component === 'non-free' ? [component, 'contrib'] : [component],
      architectures: ['amd64', '386'],
    },
  ]
}

/** What the image's package sources have of it; what they have not is said, and gone without. */
export async function firmwarePackages(
  { firmware }: Release,
  { target, architecture, rootfs, warn }: MachineTask,
): Promise<readonly string[]> {
  if (target !== 'physical') return []
  const there = await archiveComponents(rootfs, warn)
  const packages: string[] = []
  for (const one of firmware) {
    if (one.architectures?.includes(architecture) === false) continue
    const missing = one.components.filter((component) => !there.has(component))
    if (missing.length === 0) packages.push(...one.packages)
    else {
      warn(
        `${one.what} is not installed: the image's package sources lack the component ${missing.join(' and ')}; add it to them in the image if the machine needs it`,
      )
    }
  }
  return packages
}

/** Components that any of the image's package sources names: sources.list(5), one-line and deb822 style. */
export async function archiveComponents(
  rootfs: Rootfs,
  warn: (message: string) => void = () => undefined,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  const reader = new ConfigurationReader(rootfs, warn)
  const texts = async (path: string) => (await reader.text(path)) ?? ''
  const folder = 'etc/apt/sources.list.d'
  for (const component of oneLine(await texts('etc/apt/sources.list'))) found.add(component)
  for (const name of await reader.list(folder)) {
    const parse = name.endsWith('.list') ? oneLine : name.endsWith('.sources') ? deb822 : undefined
    for (const component of parse?.(await texts(`${folder}/${name}`)) ?? []) found.add(component)
  }
  return found
}

/** 'deb [options] URI suite component …' */
function oneLine(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const words = /^\s*deb\s+(?:\[[^\]]*\]\s+)?\S+\s+\S+\s+([^#]*)/.exec(line)?.[1]
    return words?.split(/\s+/).filter((word) => word !== '') ?? []
  })
}

/** Stanzas of fields; a line that begins with a blank continues the field before. */
function deb822(text: string): readonly string[] {
  const uncommented = text.replace(/^#.*\n?/gm, '').replace(/\n[ \t]+/g, ' ')
  return uncommented.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string) => new RegExp(`^${name}:(.*)$`, 'im').exec(stanza)?.[1]?.trim()
    if (/^(?:no|false|without|off|disable)$/i.test(field('Enabled') ?? '')) return []
    if (!(field('Types') ?? '').split(/\s+/).includes('deb')) return []
    return (field('Components') ?? '').split(/\s+/).filter((word) => word !== '')
  })
}
