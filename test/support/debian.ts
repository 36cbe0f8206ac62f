import { debianImage } from '@c2m/testkit'
import { FIXTURES } from './paths.js'

/** Any time in the past will do; a fixed one keeps the image's digest, and with it the caches, stable. */
const CREATED = 1_760_000_000

export function debian12(): Promise<string> {
  return debianImage(`${FIXTURES}/debian-12`, { suite: 'bookworm', created: CREATED })
}

export function debian13(): Promise<string> {
  return debianImage(`${FIXTURES}/debian-13-slim`, { suite: 'trixie', created: CREATED, slim: true })
}

export function debian11(): Promise<string> {
  return debianImage(`${FIXTURES}/debian-11`, { suite: 'bullseye', created: CREATED })
}
