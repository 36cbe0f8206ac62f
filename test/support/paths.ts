import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Kept between runs: fixtures and c2m's cache, so that a second run of the tests is quick. */
export const WORK = `${ROOT}.work/`
export const FIXTURES = `${WORK}fixtures`
export const CACHE = `${WORK}cache`

mkdirSync(FIXTURES, { recursive: true })
