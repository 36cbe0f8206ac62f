import { usageError } from '@c2m/process'

/**
 * The time that a build is to pretend, in seconds since the epoch; undefined where none is asked for
 * (https://reproducible-builds.org/specs/source-date-epoch/).
 * @throws C2M_SOURCE_DATE_EPOCH (usage): a build that ignored it would not be reproducible
 */
export function sourceDateEpoch({ SOURCE_DATE_EPOCH: text = '' }: NodeJS.ProcessEnv): number | undefined {
  if (text === '') return undefined
  if (/^\d{1,11}$/.test(text)) return Number(text)
  throw usageError(
    'C2M_SOURCE_DATE_EPOCH',
    `SOURCE_DATE_EPOCH=${text} is not a number of seconds since 1970`,
    'give one, e.g. 1700000000, or unset it',
  )
}

/** As image configurations write times, e.g. '2024-05-01T12:00:00Z' (RFC 3339, section 5.6). */
export function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
