import type { Rootfs } from '@c2m/plugin-api'
import { C2mError, ownMark, type Reporter } from '@c2m/process'
import { mayHaveHoles, packRootfs } from '@c2m/rootfs'
import { randomBytes } from 'node:crypto'
import { mkdir, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '../namespace/session.js'
import { unpackable } from './placeholder.js'
import type { SandboxStore } from './store.js'

/** Bytes of all files, holes included: as much as one file of ext4 can have. */
const MOST_APPARENT = 16 * 1024 ** 4
/** What GNU tar says when the file system is full; it would read on to the end. */
const FULL = /^tar: .*(?:No space left on device|Disk quota exceeded)/

/** $1 temporary name, $2 final name; the tree comes as tar on standard input. */
const UNPACK = `
set -eu
umask 022
export LC_ALL=C
cd /tmp/store
mkdir -p bases
mkdir "bases/$1"
tar --extract --directory="bases/$1" --numeric-owner --same-owner --preserve-permissions --xattrs --xattrs-include='*' \
  --warning=no-timestamp
sync -f "bases/$1"
# another run may have been faster
mv -T -n "bases/$1" "bases/$2"
rm -rf "bases/$1"
`

/**
 * Makes sure that the image's tree is unpacked as `bases/<name>`. It appears there by one rename when it is complete.
 * @throws C2M_SANDBOX_FAILED; C2M_IMAGE_TOO_LARGE, C2M_CACHE_FULL; what reading the tree throws
 */
export async function unpackBase(
  base: Rootfs,
  name: string,
  { session, store, reporter }: { session: Session; store: SandboxStore; reporter: Reporter },
): Promise<void> {
  if (!(await isFolder(join(store.folder, 'bases', name)))) {
    const temporary = `unpack.${await ownMark()}.${randomBytes(4).toString('hex')}`
    const tree = unpackable(base, { mapped: store.mapping !== undefined })
    let isFull = false
    try {
      await checkSize(base, store)
      reporter.detail('unpacking the image for the sandbox')
      const members = packRootfs(tree, {
        sparse: (path) => mayHaveHoles(base, path),
        // sockets mean nothing to other processes than those that made them
        onOmitted: ({ path }, because) => reporter.detail(`/${path} is not unpacked: ${because}`),
      })
      await session.run('unpack the image', ['sh', '-c', UNPACK, 'c2m', temporary, name], {
        input: whileThereIsRoom(members, store, () => isFull),
        onLine: (line) => {
          isFull ||= FULL.test(line)
          reporter.detail(line)
        },
      })
    } catch (error) {
      await store.remove([join(store.folder, 'bases', temporary)])
      throw isFull ? cacheFull(store, 'is full', error) : error
    }
  }
  await mkdir(join(store.root, 'used'), { recursive: true })
  await writeFile(join(store.root, 'used', name), '')
}

/** @throws C2M_IMAGE_TOO_LARGE, C2M_CACHE_FULL, before anything is written */
async function checkSize(base: Rootfs, store: SandboxStore): Promise<void> {
  const counted = new Set<number>()
  let apparent = 0
  let stored = 0
  for await (const { path, type, size, inode, nlink } of base.walk()) {
    if (type !== 'file' || counted.has(inode)) continue
    if (nlink > 1) counted.add(inode)
    apparent += size
    if (size > 0 && !(await mayHaveHoles(base, path))) stored += size
  }
  if (apparent > MOST_APPARENT) {
    throw new C2mError('C2M_IMAGE_TOO_LARGE', `the files of the image have ${apparent} bytes, holes included`, {
      hint: `only images of up to ${MOST_APPARENT} bytes are unpacked; make one without the large files`,
    })
  }
  const found = await statfs(store.folder).catch(() => undefined)
  if (found === undefined) return // the writing will tell
  const free = found.bavail * found.bsize
  if (free < stored) throw cacheFull(store, `has ${free} bytes free, and the unpacked image needs at least ${stored}`)
}

/** @throws C2M_CACHE_FULL as soon as one file could not be written */
async function* whileThereIsRoom(
  members: AsyncIterable<Uint8Array>,
  store: SandboxStore,
  isFull: () => boolean,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of members) {
    if (isFull()) throw cacheFull(store, 'is full')
    yield chunk
  }
}

function cacheFull({ root }: SandboxStore, what: string, cause?: unknown): C2mError {
  return new C2mError('C2M_CACHE_FULL', `the cache ${root} ${what}`, {
    hint: 'free some space there, prune it, or name another folder with C2M_CACHE_DIR',
    cause,
  })
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
