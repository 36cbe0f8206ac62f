import { mkdtemp, rm } from 'node:fs/promises'
import { createReadStream, createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { defaultConsoles } from '@c2m/core'
import { findOsRelease, readText } from '@c2m/linux'
import type {
  DiskPlan,
  DistroPlugin,
  MachineTarget,
  MachineTask,
  Rootfs,
  RootfsEdit,
  Step,
  StepContext,
} from '@c2m/plugin-api'
import { plugin } from '@c2m/plugin-alpine'
import { compareRootfs, editRootfs, indexLayer, mergeLayers } from '@c2m/rootfs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  alpineRoot,
  missingForAlpine,
  realServiceScripts,
  SCRIPTS_OF_3_9,
  type AlpineVersion,
} from '../support/alpine.js'

const alpine = plugin.contributes[0] as DistroPlugin

const DISK: DiskPlan = {
  table: 'gpt',
  id: 'D',
  partitions: [
    { role: 'bios-boot', size: 1, number: 1, firstLba: 2048, partuuid: 'P1' },
    { role: 'swap', size: 1, number: 2, firstLba: 4096, partuuid: 'P2', filesystem: 'swap', uuid: 'SWAP' },
    {
      role: 'root',
      size: 1,
      number: 3,
      firstLba: 8192,
      partuuid: 'P3',
      filesystem: 'ext4',
      uuid: 'ROOT',
      mountpoint: '/',
    },
  ],
}

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHello me@host'

const KEYMAP = 'usr/share/bkeymaps/de/de.bmap.gz'

const SCRIPTS: Readonly<Record<AlpineVersion, () => Promise<readonly string[]>>> = {
  '3.9.6': async () => SCRIPTS_OF_3_9,
  '3.19.4': realServiceScripts,
}

const missing = missingForAlpine()
if (missing !== undefined) console.warn(`skipped: ${missing} is not there`)

describe.skipIf(missing !== undefined)('a real Alpine tree', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-golden-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each<readonly [AlpineVersion, MachineTarget]>([
    ['3.9.6', 'vm'],
    ['3.19.4', 'vm'],
    ['3.19.4', 'physical'],
  ])('%s (%s) is planned and configured as somebody has checked by hand', async (version, target) => {
    const tar = join(folder, `${version}.tar`)
    await pipeline(createReadStream(alpineRoot(version)), createGunzip(), createWriteStream(tar))
    await using layer = await indexLayer(tar)
    await using image = await mergeLayers([layer])
    const { task, warnings } = await taskFor(image, target)
    const steps = await alpine.toMachine(task)
    const packages = steps.flatMap((step) => (step.do === 'install' ? step.packages : []))
    const installing = await alpine.install(packages, task)
    await using withScripts = editRootfs(image, { time: { seconds: 0, nanoseconds: 0 } })
    for (const name of await SCRIPTS[version]()) {
      await withScripts.put({ path: `etc/init.d/${name}`, type: 'file', mode: 0o755 })
    }
    // what the package kbd-bkeymaps would bring
    if (target === 'physical') await withScripts.put({ path: KEYMAP, type: 'file', mode: 0o644 })
    await using machine = editRootfs(withScripts, { time: { seconds: 0, nanoseconds: 0 } })
    for (const step of steps) await configure(step, machine)
    const text = [
      `kernel command line: ${task.traits.cmdline?.join(' ')}`,
      ...warnings.map((warning) => `warning: ${warning}`),
      `packages: ${packages.join(' ')}`,
      ...[...installing, ...steps].map((step) => `${step.phase}: ${step.title}`),
      '',
      ...(await differences(withScripts, machine)),
      '',
    ]
    await expect(text.join('\n')).toMatchFileSnapshot(`alpine-${version}${target === 'vm' ? '' : `-${target}`}.txt`)
  })
})

async function taskFor(
  rootfs: Rootfs,
  target: MachineTarget,
): Promise<{ readonly task: MachineTask; readonly warnings: readonly string[] }> {
  const os = await findOsRelease(rootfs)
  const match = os === undefined ? undefined : await alpine.detect(os, rootfs)
  if (match === undefined) throw new Error('not detected')
  const warnings: string[] = []
  const task: MachineTask = {
    match,
    architecture: 'amd64',
    traits: alpine.traits(match, 'amd64', target),
    image: { env: [], entrypoint: [], cmd: ['/bin/sh'], exposedPorts: [], labels: {} },
    rootfs,
    machine: {
      hostname: 'web.example.org',
      sshKeys: [KEY],
      users: [{ name: 'ann', groups: ['video'], sudo: true, sshKeys: [KEY] }],
      network: { mode: 'dhcp' },
      dns: ['192.0.2.53'],
      locale: 'de_DE.UTF-8',
      ...(target === 'physical' ? { keyboard: 'de' } : {}),
      packages: [],
      cmdline: [],
      consoles: defaultConsoles(target),
    },
    target,
    disk: DISK,
    warn: (message) => warnings.push(message),
  }
  return { task, warnings }
}

/** What the core does with steps of this phase. */
async function configure(step: Step, rootfs: RootfsEdit): Promise<void> {
  if (step.do === 'custom') await step.run({ rootfs, disk: DISK, warn: () => undefined } as unknown as StepContext)
  if (step.do === 'remove') for (const path of step.paths) await rootfs.remove(path.slice(1))
  if (step.do === 'symlink') {
    await rootfs.put({ path: step.path.slice(1), type: 'symlink', mode: 0o777, linkTarget: step.target })
  }
  if (step.do === 'write' && step.phase === 'configure') {
    await rootfs.put(
      { path: step.path.slice(1), type: 'file', mode: step.mode ?? 0o644 },
      Buffer.from(step.content as string),
    )
  }
}

/** Every path that differs in anything but its time, with what it now is. */
async function differences(before: Rootfs, after: Rootfs): Promise<readonly string[]> {
  const found = await compareRootfs(before, after, { limit: Infinity, ignore: (_path, aspect) => aspect === 'mtime' })
  const paths = [...new Set(found.map(({ path }) => path))].sort()
  const lines: string[] = []
  for (const path of paths) {
    const entry = await after.stat(path)
    if (entry === undefined) {
      lines.push(`- /${path}`)
      continue
    }
    const is = (await before.stat(path)) === undefined ? '+' : '~'
    const owner = `${entry.uid}:${entry.gid}`
    const link = entry.linkTarget === undefined ? '' : ` -> ${entry.linkTarget}`
    lines.push(`${is} /${path}${link} ${entry.type} ${entry.mode.toString(8)} ${owner}`)
    // scripts of c2m's own have tests of their own
    if (entry.type !== 'file' || /c2m\/|c2m-/.test(path.replace('c2m-locale', ''))) continue
    const text = (await readText(after, path)) ?? ''
    lines.push(
      ...text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => `  | ${line}`),
    )
  }
  return lines
}
