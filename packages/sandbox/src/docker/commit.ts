import type { Body } from '@c2m/plugin-api'
import { cleanPath, type TarInput, type TarMember } from '@c2m/rootfs'
import { clampTime, isSameDirectory } from '../layer/upper.js'
import type { SandboxTask } from '../sandbox.js'
import type { PlacedFile } from './engine.js'

export interface CommitOptions {
  readonly task: SandboxTask
  readonly contentless: readonly string[]
  readonly placed: readonly PlacedFile[]
}

/** Mount points and marks that engines make in a container when the image has none. */
const ENGINE_FILES = ['etc/resolv.conf', 'etc/hosts', 'etc/hostname', '.dockerenv', '.containerenv']
const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'

/** A committed layer without the traces of how it was made: it has OCI whiteouts already. */
export async function* convertCommit(
  members: AsyncIterable<TarMember>,
  options: CommitOptions,
): AsyncGenerator<TarInput> {
  const { base, sourceDateEpoch } = options.task
  const files = new Map(options.placed.map(({ path, content }) => [path, Buffer.from(content)]))
  // below a directory that hides the base's, nothing has a counterpart in the base
  let fresh: string | undefined
  // directories of temporary files: they stay only when something else came into them
  let pending: TarInput[] = []
  const parentsOf = (path: string): readonly TarInput[] => {
    const parents = pending.filter((directory) => path.startsWith(`${directory.path}/`))
    pending = []
    return parents
  }
  for await (const member of members) {
    const path = cleanPath(member.path)
    if (options.contentless.some((directory) => path.startsWith(`${directory}/`))) continue
    if (fresh !== undefined && !path.startsWith(`${fresh}/`)) fresh = undefined
    const mtime = clampTime(member.mtime, sourceDateEpoch)
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (name === OPAQUE) {
      const directory = path.slice(0, -OPAQUE.length - 1)
      if (fresh !== undefined && fresh !== directory) continue
      fresh = directory
      if ((await base.stat(directory))?.type !== 'directory') continue // there is nothing to hide
    }
    const below = fresh === undefined && !name.startsWith(WHITEOUT) ? await base.stat(path) : undefined
    if (path === 'etc/mtab' && member.linkTarget === '/proc/mounts' && below === undefined) continue // podman's
    if (ENGINE_FILES.includes(path) && member.size === 0 && below === undefined) continue
    const entry = { ...member, path: path === '' ? './' : path, mtime, ...linkOf(member) }
    const placed = files.get(path)
    if (placed !== undefined && member.type === 'file' && member.size === placed.length) {
      const content = await bufferOf(member.body, member.size)
      if (content.equals(placed)) continue
      yield* parentsOf(path)
      yield { ...entry, body: bodyOf(content) }
      continue
    }
    if (member.type === 'directory') {
      if (below?.type !== 'directory') fresh ??= path
      else if (isSameDirectory(member, below)) continue
      if (below === undefined && options.placed.some((file) => file.path.startsWith(`${path}/`))) {
        pending.push(entry)
        continue
      }
    }
    yield* parentsOf(path)
    yield entry
  }
}

function linkOf(member: TarMember): { linkTarget?: string } {
  return member.type === 'hardlink' ? { linkTarget: cleanPath(member.linkTarget ?? '') } : {}
}

async function bufferOf(body: Body, size: number): Promise<Buffer> {
  const content = Buffer.alloc(size)
  for await (const { offset, data } of body) content.set(data, offset)
  return content
}

async function* bodyOf(data: Uint8Array): AsyncGenerator<{ offset: number; data: Uint8Array }> {
  yield { offset: 0, data }
}
