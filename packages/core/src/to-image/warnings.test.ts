import { silentReporter } from '@c2m/process'
import { expect, it } from 'vitest'
import type { ImagePlan } from './image-plan.js'
import { SPARSE } from './sparse.js'
import { warnOfImage } from './warnings.js'

const NAME = 'srv/a\x1b[31mRED\nwarning: fake.key'
const SHOWN = '/srv/a\\x1b[31mRED\\x0awarning: fake.key'

const PLAN: ImagePlan = {
  root: 'the whole disk (ext4)',
  reasons: [],
  mounts: [],
  architecture: 'amd64',
  created: '2024-05-06T07:08:09Z',
  entries: 1,
  bytes: 1,
  cleaning: [
    {
      id: SPARSE,
      summary: '',
      applied: false,
      because: 'asked',
      removed: 1,
      emptied: 0,
      bytes: 1,
      samples: [NAME],
    },
  ],
  unmatchedExcludes: [`/${NAME}`],
  leftOut: [{ path: NAME, why: 'a name of whiteouts' }],
  droppedAttributes: {},
  secrets: [{ path: NAME, kind: 'private key', why: '' }],
  secretsExcluded: false,
  init: { id: 'shell', because: '' },
  ports: [],
  services: [],
  volumes: [],
}

it('names every path in one line', () => {
  const said: string[] = []
  const say = (message: string) => said.push(message)
  warnOfImage(PLAN, { ...silentReporter, info: say, warn: say })
  expect(said).toHaveLength(4)
  for (const message of said) expect(message).toContain(SHOWN)
  expect(said.join()).not.toMatch(/\x1b|\nwarning/)
  expect(said[0]).toBe(`--exclude ${SHOWN} names nothing on this machine`)
})
