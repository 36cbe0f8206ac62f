import { C2mError, usageError } from '@c2m/process'

/** Names of the Go language: GOOS, GOARCH and, for arm, the version of the instruction set. */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
}

const GOARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', mipsel: 'mipsle', ppc64: 'ppc64le' }

/** Other tools' names for the same architectures. */
const ALIASES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
  i686: '386',
  armhf: 'arm',
}

export function hostPlatform(arch: string = process.arch): Platform {
  return { os: 'linux', architecture: GOARCH[arch] ?? arch }
}

/**
 * `os/arch[/variant]`, or the architecture alone.
 * @throws C2M_PLATFORM (usage)
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/')
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) {
    throw usageError('C2M_PLATFORM', `'${text}' is not a platform`, 'write OS/ARCHITECTURE[/VARIANT], e.g. linux/amd64')
  }
  const [os, architecture, variant] = parts.length === 1 ? ['linux', parts[0], undefined] : parts
  const arch = (architecture ?? '').toLowerCase()
  return {
    os: (os ?? '').toLowerCase(),
    architecture: ALIASES[arch] ?? arch,
    ...(variant !== undefined && { variant }),
  }
}

export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')
}

/**
 * How well `offered` serves `wanted`: 0 not at all, more is better. A machine runs code for older variants of its
 * architecture, so arm/v7 takes v6 when there is no v7; arm64 is arm64/v8 and amd64 is amd64/v1.
 */
export function platformScore(wanted: Platform, offered: Platform): number {
  if (wanted.os !== offered.os || wanted.architecture !== offered.architecture) return 0
  const [want, offer] = [level(wanted), level(offered)]
  if (want === undefined) return offer === undefined ? 200 : 100 - offer // nothing asked: what runs on most machines
  if (offer === undefined) return 1
  return offer > want ? 0 : 100 + offer
}

function level(platform: Platform): number | undefined {
  const digits = /^v(\d{1,2})/.exec(platform.variant ?? '')?.[1]
  if (digits !== undefined) return Number(digits)
  if (platform.architecture === 'arm64') return 8
  if (platform.architecture === 'amd64') return 1
  return undefined
}

export function platformError(wanted: Platform, offered: readonly Platform[], origin: string): C2mError {
  const names = [...new Set(offered.map(formatPlatform))].sort()
  const there = names.length === 0 ? 'no image for any platform' : names.join(', ')
  return new C2mError('C2M_IMAGE_PLATFORM', `${origin} has no image for ${formatPlatform(wanted)}; it has ${there}`, {
    hint: names.length === 0 ? 'check the name and tag' : `choose one with --platform, e.g. --platform ${names[0]}`,
  })
}
