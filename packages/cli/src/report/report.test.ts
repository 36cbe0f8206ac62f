import type { DiskInspection, ImageInspection, ImagePlan } from '@c2m/core'
import { expect, it } from 'vitest'
import { imagePlanText } from './image-plan.js'
import { diskText, imageText } from './inspection.js'

const HOSTILE = 'x\x1b[31mt\nruns        nothing\x9b'
const SHOWN = 'x\\x1b[31mt\\x0aruns        nothing\\x9b'

const PLAN: ImagePlan = {
  root: `the whole disk (ext4, label ${HOSTILE})`,
  reasons: [],
  mounts: [{ path: `/${HOSTILE}`, from: HOSTILE }],
  os: HOSTILE,
  architecture: 'amd64',
  created: '2024-05-06T07:08:09Z',
  entries: 1,
  bytes: 1,
  cleaning: [],
  unmatchedExcludes: [],
  leftOut: [],
  droppedAttributes: {},
  secrets: [],
  secretsExcluded: false,
  init: { id: 'shell', because: HOSTILE },
  ports: [],
  services: [],
  volumes: [{ path: `/${HOSTILE}`, note: HOSTILE }],
}

const IMAGE: ImageInspection = {
  kind: 'image',
  name: HOSTILE,
  digest: HOSTILE,
  platform: 'linux/amd64',
  layers: [],
  entries: 1,
  bytes: 1,
  config: { env: [], entrypoint: [HOSTILE], cmd: [HOSTILE], user: HOSTILE, exposedPorts: [], labels: {} },
  os: HOSTILE,
  notSupported: HOSTILE,
  kernels: [HOSTILE],
}

const DISK: DiskInspection = {
  kind: 'disk',
  path: HOSTILE,
  format: 'raw',
  size: 1,
  files: [HOSTILE, HOSTILE],
  volumes: [{ name: 'partition 1', offset: 0, size: 1, filesystem: 'ext4', label: HOSTILE }],
  candidates: [{ volume: 'partition 1', score: 1, reasons: [HOSTILE] }],
  notReadable: HOSTILE,
}

it.each([
  ['a conversion', () => imagePlanText(PLAN), 7],
  ['an image', () => imageText(IMAGE), 8],
  ['a disk', () => diskText(DISK), 5],
])('the report of %s keeps every name within its line', (_what, text, least) => {
  expect(text()).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
  expect(text().split(SHOWN).length - 1).toBeGreaterThanOrEqual(least)
  expect(text()).not.toMatch(/^runs {8}nothing/m)
})
