import type { Verdict } from '@c2m/plugin-api'
import { isC2mError, makeSweptFolder, temporaryParent } from '@c2m/process'
import { readFile } from 'node:fs/promises'
import { checkEngine } from '../docker/engine.js'
import type { SandboxMode } from '../sandbox.js'
import { openStore } from '../tree/store.js'
import { chooseMapping } from './id-mapping.js'
import { containerStatus, prepareContainer } from '../container/container.js'
import { GUEST_PATH } from '../guest/environment.js'
import { failure, openSession } from './session.js'

/** An overlay. $1 its options. */
const PROBE_OVERLAY = `
set -eu
mkdir /tmp/lower /tmp/upper /tmp/inner
mount -t overlay -o "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/inner,$1" probe /tmp/tree
umount /tmp/tree
mount --rbind / /tmp/tree
`

/** Whether this host can run a sandbox: everything is really tried, with nothing in it. */
export async function checkSandbox(mode: SandboxMode): Promise<Verdict> {
  if (mode === 'docker') return checkEngine()
  if (process.platform !== 'linux') {
    return no('namespaces are a feature of Linux', 'use --sandbox docker, or run c2m on Linux')
  }
  if (mode === 'root' && process.getuid?.() !== 0) {
    return no('the sandbox mode "root" needs to be run by root', 'use the default, --sandbox userns')
  }
  const forbidden = mode === 'userns' ? await forbiddenBySettings() : undefined
  if (forbidden !== undefined) return forbidden
  try {
    await probe(mode)
    return { ok: true }
  } catch (error) {
    if (mode === 'userns' && (await setting('kernel/apparmor_restrict_unprivileged_userns')) === '1') {
      return no(
        'AppArmor forbids unprivileged user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)',
        'as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give unshare an AppArmor profile',
      )
    }
    if (!isC2mError(error)) throw error
    return no(error.message, error.hint ?? 'use --sandbox docker')
  }
}

async function forbiddenBySettings(): Promise<Verdict | undefined> {
  if ((await setting('user/max_user_namespaces')) === '0') {
    return no(
      'user namespaces are switched off (user.max_user_namespaces is 0)',
      'as root: sysctl -w user.max_user_namespaces=28633',
    )
  }
  if (process.getuid?.() === 0) return undefined
  if ((await setting('kernel/unprivileged_userns_clone')) === '0') {
    return no(
      'user namespaces are for root only (kernel.unprivileged_userns_clone is 0)',
      'as root: sysctl -w kernel.unprivileged_userns_clone=1',
    )
  }
  return undefined
}

async function probe(mode: 'userns' | 'root'): Promise<void> {
  await inHostsTree(mode, ['/bin/sh', '-c', ':'])
}

/**
 * Runs a program of this host in a container like those of images, whose tree is the host's own as the container's root sees
 * it. @returns what it wrote
 * @throws C2M_SANDBOX_…, C2M_TOOL_MISSING
 */
export async function inHostsTree(mode: 'userns' | 'root', argv: readonly string[]): Promise<string> {
  const mapping = mode === 'root' ? undefined : await chooseMapping()
  await using folder = await makeSweptFolder(await temporaryParent(), 'c2m-check')
  const store = await openStore(folder.path, mapping)
  try {
    await using session = await openSession({ mapping, folder: store.folder, network: 'own' })
    const overlay = mapping === undefined ? 'index=off' : 'userxattr'
    await session.run('mount an overlay', ['sh', '-c', PROBE_OVERLAY, 'c2m', overlay])
    const process = {
      argv,
      environment: { PATH: GUEST_PATH },
      workingDirectory: '/',
      user: { uid: 0, gid: 0, groups: [] },
      terminal: undefined,
    }
    const options = { root: '/tmp/tree', sys: undefined, architecture: '' }
    const container = await prepareContainer(session, process, options)
    const lines: string[] = []
    const exit = await session.start(container.argv, { onLine: (line) => lines.push(line) }).finished
    const { entered, said } = containerStatus(exit.status)
    if (!entered || exit.code !== 0) throw failure('run a container', { ...exit, said: said || exit.said })
    return lines.join('\n')
  } finally {
    await store.remove([store.folder])
  }
}

async function setting(path: string): Promise<string | undefined> {
  return readFile(`/proc/sys/${path}`, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  )
}

function no(because: string, hint: string): Verdict {
  return { ok: false, because, hint }
}
