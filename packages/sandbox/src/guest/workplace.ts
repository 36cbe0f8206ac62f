import { C2mError, ExitCode, makeSweptFolder, silentReporter, type CleanupStack } from '@c2m/process'
import { join } from 'node:path'
import { takeLock } from '../cache/lock.js'
import { chooseMapping } from '../namespace/id-mapping.js'
import { openSession, type Session } from '../namespace/session.js'
import type { SandboxOptions, SandboxTask } from '../sandbox.js'
import { unpackBase } from '../tree/base.js'
import { downloadsName, openStore, safeName } from '../tree/store.js'
import { openNetwork, type Network, type NetworkMode } from '../network/network.js'
import { openGuest, type Guest } from './guest.js'

/** The image unpacked, an overlay over it, and the namespaces in which its programs run. */
export interface Workplace {
  readonly session: Session
  readonly guest: Guest
  readonly network: Network
  /** Whether it lies in a user namespace. */
  readonly mapped: boolean
}

/**
 * Everything that was opened is given to `cleanup`.
 * @param files of the host that are to be mounted: absolute, without symlinks
 * @throws C2M_SANDBOX_… when the host does not allow it; C2M_TOOL_MISSING; C2M_FILE_…; C2M_INTERRUPTED
 */
export async function openWorkplace(
  task: SandboxTask,
  options: SandboxOptions & { readonly network: NetworkMode },
  cleanup: CleanupStack,
  files: readonly string[] = [],
): Promise<Workplace> {
  const { signal, reporter = silentReporter, env = process.env } = options
  const mapping = options.mode === 'root' ? trustedRoot() : await chooseMapping()
  const baseName = safeName(task.baseId)
  const cacheName = downloadsName(task)
  const store = await openStore(options.cache, mapping)
  const inUse = await makeSweptFolder(join(store.root, 'in-use'), baseName)
  cleanup.defer(() => inUse[Symbol.asyncDispose]())
  if (task.packageCaches.length > 0) {
    // package managers do not share their download folders
    const lock = await takeLock(join(store.root, 'locks', cacheName), {
      signal,
      onWait: (pid) => reporter.info(`waiting for c2m ${pid}, which installs packages into the same image`),
    })
    cleanup.defer(() => lock[Symbol.asyncDispose]())
  }
  // removed after the session has ended, so that nothing writes there any more
  const work = { name: '' }
  cleanup.defer(() => store.remove(work.name === '' ? [] : [join(store.folder, work.name)]))
  const session = await openSession({
    mapping,
    folder: store.folder,
    files,
    network: options.network === 'host' ? 'host' : 'own',
    signal,
  })
  cleanup.defer(() => session[Symbol.asyncDispose]())
  const network = await openNetwork(options.network, session, { base: task.base, env, reporter, signal })
  cleanup.defer(() => network[Symbol.asyncDispose]())
  await unpackBase(task.base, baseName, { session, store, reporter })
  const guest = await openGuest(session, {
    task,
    baseName,
    cacheName,
    mapped: mapping !== undefined,
    place: options.work,
    onWork: (name) => (work.name = name),
    network,
    reporter,
    signal,
  })
  return { session, guest, network, mapped: mapping !== undefined }
}

function trustedRoot(): undefined {
  if (process.getuid?.() === 0) return undefined
  throw new C2mError('C2M_SANDBOX_ROOT', 'the sandbox mode "root" needs to be run by root', {
    hint: 'use the default, --sandbox userns, which needs no root',
    exitCode: ExitCode.usage,
  })
}
