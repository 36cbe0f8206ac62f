import { usageError } from '@c2m/process'
import { Flags } from '@oclif/core'

const NETWORKS = ['http', 'private', 'host', 'none'] as const

/** @param fallback in words */
export function networkFlag(fallback: string) {
  return Flags.option({ options: NETWORKS })({
    description: `what the image's programs reach. http: web servers, through a proxy of c2m, not this host; private: all but this host's loopback device (slirp4netns); host: what this host reaches; none: nothing. Default: ${fallback}`,
    helpGroup: 'SANDBOX',
  })
}

/** Seconds of '90', '90s', '30m' or '2h'. @throws C2M_DURATION */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smh]?)$/.exec(text) ?? []
  const seconds = Number(count) * ({ m: 60, h: 3600 }[unit ?? ''] ?? 1)
  if (seconds > 0) return seconds
  throw usageError(
    'C2M_DURATION',
    `invalid duration '${text}'`,
    'write seconds, or a number with s, m or h: 90s, 30m, 2h',
  )
}
