import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { C2mError, fileError, findAbandoned, makeCacheSubfolder } from '@c2m/process'
import type { IdMapping } from '../namespace/id-mapping.js'
import { runAsOwner } from '../namespace/session.js'

/**
 * The sandbox's part of the cache. What is in a `<uid>-<gid>` folder belongs to the ids of a container whose root is
 * this uid and gid of the host ('0-0' for a trusted image), so it is read and deleted in their user namespace:
 *
 *     <cache>/sandbox/                              the user's, 0700: set-user-ID programs of images are out of reach
 *         <uid>-<gid>/bases/<base>/                 unpacked trees, complete
 *         <uid>-<gid>/bases/unpack.<pid>.…/         being unpacked
 *         <uid>-<gid>/downloads/<group>-<base>/…/   package caches
 *         <uid>-<gid>/work/work.<pid>.…/            upper directories, when memory is short
 *         locks/  in-use/  used/                    by whom, and when last
 */
export interface SandboxStore {
  readonly root: string
  readonly folder: string
  readonly mapping: IdMapping | undefined
  /** Deletes folders below `folder`, whoever owns what is in them. */
  remove(paths: readonly string[]): Promise<void>
}

/** Makes the folders and sweeps what killed runs left. @throws C2M_SANDBOX_CACHE, C2M_SANDBOX_FAILED, C2M_FILE_… */
export async function openStore(cache: string, mapping: IdMapping | undefined): Promise<SandboxStore> {
  const owner = mapping ?? { uid: 0, gid: 0 }
  const root = join(cache, 'sandbox')
  const folder = join(root, `${owner.uid}-${owner.gid}`)
  try {
    await makeCacheSubfolder(cache, 'sandbox')
    await mkdir(folder, { recursive: true })
    await handOver(folder, owner, mapping)
  } catch (error) {
    throw fileError(error, folder, 'make')
  }
  const store: SandboxStore = {
    root,
    folder,
    mapping,
    remove: async (paths) => {
      if (paths.length > 0) await runAsOwner(mapping, ['rm', '-rf', '--one-file-system', '--', ...paths])
    },
  }
  await store.remove([
    ...(await findAbandoned(join(folder, 'bases'), 'unpack')),
    ...(await findAbandoned(join(folder, 'work'), 'work')),
  ])
  return store
}

/** By descriptor, so that nothing but this folder changes its owner: in the place of a link, it is refused. */
async function handOver(path: string, owner: IdMapping, mapping: IdMapping | undefined): Promise<void> {
  await using folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  const { uid } = await folder.stat()
  if (uid === owner.uid) return
  if (uid !== process.getuid?.()) {
    throw new C2mError(
      'C2M_SANDBOX_CACHE',
      `${path} belongs to user ${uid}, neither to you nor to your subordinate ids`,
      {
        hint: `delete it as its owner, or choose another cache with C2M_CACHE_DIR`,
      },
    )
  }
  await folder.chmod(0o755)
  if (uid === 0) await folder.chown(owner.uid, owner.gid)
  else await runAsOwner(mapping, ['chown', '--no-dereference', '1:1', '--', path])
}

/** Names what package managers downloaded for one base: wholly, since images choose their group's name themselves. */
export function downloadsName({
  cacheGroup,
  baseId,
}: {
  readonly cacheGroup: string
  readonly baseId: string
}): string {
  return safeName(`${safeName(cacheGroup)}-${safeName(baseId)}`)
}

/** A name that is safe in paths and mount options. */
export function safeName(text: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(text) ? text : createHash('sha256').update(text).digest('hex')
}
