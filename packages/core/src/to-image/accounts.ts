import { readText, TEXT_LIMITS } from '@c2m/linux'
import type { RootfsEdit } from '@c2m/plugin-api'

/** They must stay, or nobody has a name; of them only the hashes are secret (passwd(5), shadow(5), gshadow(5)). */
export const ACCOUNT_FILES: readonly string[] = ['etc/passwd', 'etc/shadow', 'etc/gshadow', 'etc/master.passwd']

/** A second field that is neither empty nor locked nor a reference to shadow. */
const HASH = /^([^:]*:)(?![*!x]?:|[*!]+:)[^:]+/

/** Replaces every password hash by '*', which matches no password. Returns the files that were changed. */
export async function lockAccounts(rootfs: RootfsEdit): Promise<readonly string[]> {
  const locked: string[] = []
  for (const path of ACCOUNT_FILES) {
    const entry = await rootfs.stat(path)
    const text = entry?.type === 'file' ? await readText(rootfs, path, TEXT_LIMITS.accounts) : undefined
    if (entry === undefined || text === undefined) continue
    const without = text
      .split('\n')
      .map((line) => line.replace(HASH, '$1*'))
      .join('\n')
    if (without === text) continue
    await rootfs.put(entry, new TextEncoder().encode(without))
    locked.push(path)
  }
  return locked
}
