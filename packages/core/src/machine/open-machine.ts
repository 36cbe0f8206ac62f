import { checkDisk, type OpenDiskOptions } from '@c2m/disk'
import { isTarName, openImage, parseReference } from '@c2m/image'
import type { CleanupStack } from '@c2m/process'
import { archiveRootfs } from '@c2m/rootfs'
import type { ReaderId } from '../request/vm-to-container.js'
import { joinVolumes } from './join.js'
import type { OpenedMachine, ReaderContext } from './reader.js'
import { openDirect } from './readers/direct.js'
import { openGuestfs } from './readers/guestfs.js'
import { openNbd } from './readers/nbd.js'
import { openSsh } from './readers/ssh.js'
import { parseSshUrl } from './readers/ssh-url.js'

/** What a user names as a machine. */
export type MachineTarget =
  | { readonly kind: 'disk'; readonly path: string }
  | { readonly kind: 'tar'; readonly reference: string }
  | { readonly kind: 'ssh'; readonly url: string }

/** 'ssh://…', 'tarball:FILE', '-' and names of tars; everything else is a disk. */
export function machineTarget(text: string): MachineTarget {
  if (text.startsWith('ssh://')) return { kind: 'ssh', url: text }
  if (text.startsWith('tarball:')) return { kind: 'tar', reference: text }
  if (text === '-' || isTarName(text)) return { kind: 'tar', reference: `tarball:${text}` }
  return { kind: 'disk', path: text }
}

/** For default names: 'server' of '/vm/server.vmdk' and of 'ssh://admin@server'. */
export function machineName(target: MachineTarget): string {
  switch (target.kind) {
    case 'ssh':
      return parseSshUrl(target.url).host
    case 'tar':
      return parseReference(target.reference).name
    case 'disk':
      return target.path.replace(/^.*\//, '').replace(/\.[^.]+$/, '') || 'machine'
  }
}

export interface MachineOptions extends ReaderContext {
  readonly reader: ReaderId
  readonly sudo: boolean
  readonly allFilesystems: boolean
  readonly maxBytes?: number
  readonly cache: string
}

/** Files of this host that a machine is read from, its own as it was named first; '-' is standard input. @throws what checkDisk throws */
export async function machineFiles(target: MachineTarget, options: OpenDiskOptions): Promise<readonly string[]> {
  if (target.kind === 'ssh') return []
  if (target.kind === 'disk') return [target.path, ...(await checkDisk(target.path, options)).files]
  const reference = parseReference(target.reference)
  return 'path' in reference && reference.path !== undefined ? [reference.path] : []
}

/** Opens whatever holds a machine, by the reader asked for. Resources are given to `cleanup`. */
export async function openMachine(
  target: MachineTarget,
  options: MachineOptions,
  cleanup: CleanupStack,
): Promise<OpenedMachine> {
  if (target.kind === 'tar') return openTar(target.reference, options, cleanup)
  if (target.kind === 'ssh') return openSsh(target.url, options, cleanup)
  switch (options.reader) {
    case 'direct':
      return joinVolumes((await openDirect(target.path, options, cleanup)).volumes, options)
    case 'guestfs':
      return openGuestfs(target.path, options, cleanup)
    case 'nbd':
      return openNbd(target.path, options, cleanup)
  }
}

async function openTar(reference: string, options: MachineOptions, cleanup: CleanupStack): Promise<OpenedMachine> {
  const { cache, env, signal, reporter } = options
  const image = await openImage(reference, { cache, env, signal, reporter, stdin: process.stdin })
  cleanup.defer(() => image[Symbol.asyncDispose]())
  const [layer] = image.layers
  const rootfs = layer === undefined ? await image.rootfs() : await archiveRootfs(layer, signal)
  cleanup.defer(() => rootfs[Symbol.asyncDispose]())
  return { rootfs, root: image.origin, reasons: ['a tar holds one tree'], mounts: [] }
}
