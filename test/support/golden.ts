import { defaultConsoles } from '@c2m/core'
import { readText } from '@c2m/linux'
import type { DiskPlan, DistroPlugin, Rootfs, RootfsEdit, Step, StepContext } from '@c2m/plugin-api'
import { compareRootfs, editRootfs } from '@c2m/rootfs'
import { machineTask, type MachineTaskOptions } from '@c2m/testkit'

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

/**
 * The plan of a machine that is asked for much, and all that it configures in the image's tree.
 * @param prepare puts into the tree what the packages would have brought
 */
export async function planAndConfiguration(
  distro: DistroPlugin,
  image: Rootfs,
  { target = 'vm', machine }: Pick<MachineTaskOptions, 'target' | 'machine'>,
  prepare: (tree: RootfsEdit) => Promise<void>,
): Promise<string> {
  const task = await machineTask(distro, image, {
    disk: DISK,
    target,
    machine: {
      hostname: 'web.example.org',
      sshKeys: [KEY],
      users: [{ name: 'ann', groups: ['video'], sudo: true, sshKeys: [KEY] }],
      dns: ['192.0.2.53'],
      locale: 'de_DE.UTF-8',
      consoles: defaultConsoles(target),
      ...machine,
    },
  })
  const steps = await distro.toMachine(task)
  const packages = steps.flatMap((step) => (step.do === 'install' ? step.packages : []))
  const installing = await distro.install(packages, task)
  await using installed = editRootfs(image, { time: { seconds: 0, nanoseconds: 0 } })
  await prepare(installed)
  await using configured = editRootfs(installed, { time: { seconds: 0, nanoseconds: 0 } })
  for (const step of steps) await configure(step, configured)
  const { cmdline = [] } = task.traits
  const lines = [
    ...(cmdline.length === 0 ? [] : [`kernel command line: ${cmdline.join(' ')}`]),
    ...task.warnings.map((warning) => `warning: ${warning}`),
    `packages: ${packages.join(' ')}`,
    ...[...installing, ...steps].map((step) => `${step.phase}: ${step.title}`),
    '',
    ...(await differences(installed, configured)),
    '',
  ]
  return lines.join('\n')
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
