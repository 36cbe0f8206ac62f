import type { DiskInspection, ImageInspection, ImagePlan, PlanSummary } from '@c2m/core'
import { expect, it } from 'vitest'
import { imagePlanText } from './image-plan.js'
import { diskText, imageText } from './inspection.js'
import { planText } from './plan.js'

const HOSTILE = 'x\x1b[31mt\nruns        nothing\x9b\u202e\u2028'
const SHOWN = 'x\\x1b[31mt\\x0aruns        nothing\\x9b\\u202e\\u2028'

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

const MACHINE: PlanSummary = {
  image: { name: HOSTILE, digest: 'sha256:0', architecture: 'amd64' },
  distro: { id: 'x', name: HOSTILE, plugin: 'x' },
  bootloaders: [],
  firmware: ['bios'],
  disk: { format: 'raw', table: 'gpt', id: 'x', partitions: [] } as never,
  packages: ['openssh-server'],
  sandbox: 'root',
  sshKeys: [{ fingerprint: 'SHA256:abc', type: 'ssh-ed25519', comment: HOSTILE }],
  steps: [],
  warnings: [],
}

const USED = { file: `/${HOSTILE}/c2m.config.yaml`, keys: ['container2vm.size', HOSTILE] }

it('the plan of a machine has the configuration that was used, the sandbox, and who may log in', () => {
  const text = planText(MACHINE, USED)
  expect(text).toContain(`configuration /${SHOWN}/c2m.config.yaml: container2vm.size, ${SHOWN}\n`)
  expect(text).toContain('\nsandbox     root\n')
  expect(text).toContain(`\nssh key     SHA256:abc ${SHOWN} (ssh-ed25519)\n`)
  expect(planText(MACHINE)).not.toContain('configuration')
})

it.each([
  ['a machine', () => planText(MACHINE, USED), 5],
  ['a conversion with a configuration', () => imagePlanText(PLAN, USED), 9],
  ['a conversion', () => imagePlanText(PLAN), 7],
  ['an image', () => imageText(IMAGE), 8],
  ['a disk', () => diskText(DISK), 5],
])('the report of %s keeps every name within its line', (_what, text, least) => {
  expect(text()).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/)
  expect(text().split(SHOWN).length - 1).toBeGreaterThanOrEqual(least)
  expect(text()).not.toMatch(/^runs {8}nothing/m)
})
