import type { RootfsEdit } from '@c2m/plugin-api'
import { joinPath } from '../files/paths.js'
import type { Account } from './accounts.js'

/** Makes a home with the files of /etc/skel, as useradd -m does; one that exists is left as it is. */
export async function makeHome(edit: RootfsEdit, account: Account): Promise<void> {
  const home = joinPath(account.home)
  if (home === '' || (await edit.stat(home)) !== undefined) return
  const { uid, gid } = account
  await edit.put({ path: home, type: 'directory', mode: 0o700, uid, gid })
  const skeleton = await edit.resolve('etc/skel')
  if (skeleton === undefined) return
  const entries = []
  for await (const entry of edit.walk(skeleton)) if (entry.path !== skeleton) entries.push(entry)
  for (const entry of entries) {
    const path = joinPath(home, entry.path.slice(skeleton.length))
    const { type, mode, mtime, linkTarget } = entry
    if (type === 'file') {
      await edit.put({ path, type, mode, uid, gid, mtime }, { size: entry.size, open: () => edit.stream(entry.path) })
    } else if (type === 'directory' || type === 'symlink') {
      await edit.put({ path, type, mode, uid, gid, mtime, linkTarget })
    }
  }
}
