import type { Rootfs } from '@c2m/plugin-api'
import { startTime, type Reporter } from '@c2m/process'
import { packRootfs } from '@c2m/rootfs'
import { randomBytes } from 'node:crypto'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '../namespace/session.js'
import { unpackable } from './placeholder.js'
import type { SandboxStore } from './store.js'

/** $1 temporary name, $2 final name; the tree comes as tar on standard input. */
const UNPACK = `
set -eu
umask 022
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
 * @throws C2M_SANDBOX_FAILED; what reading the tree throws
 */
export async function unpackBase(
  base: Rootfs,
  name: string,
  { session, store, reporter }: { session: Session; store: SandboxStore; reporter: Reporter },
): Promise<void> {
  if (!(await isFolder(join(store.folder, 'bases', name)))) {
    const temporary = `unpack.${process.pid}.${await startTime(process.pid)}.${randomBytes(4).toString('hex')}`
    const tree = unpackable(base, { mapped: store.mapping !== undefined })
    try {
      reporter.detail('unpacking the image for the sandbox')
      await session.run('unpack the image', ['sh', '-c', UNPACK, 'c2m', temporary, name], {
        // sockets mean nothing to other processes than those that made them
        input: packRootfs(tree, {
          onOmitted: ({ path }, because) => reporter.detail(`/${path} is not unpacked: ${because}`),
        }),
        onLine: (line) => reporter.detail(line),
      })
    } catch (error) {
      await store.remove([join(store.folder, 'bases', temporary)])
      throw error
    }
  }
  await mkdir(join(store.root, 'used'), { recursive: true })
  await writeFile(join(store.root, 'used', name), '')
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
