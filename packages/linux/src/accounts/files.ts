import type { Rootfs, RootfsEdit } from '@c2m/plugin-api'
import { readBytes } from '../files/read.js'
import { editText } from '../files/write.js'
import { findRecord } from './colon-file.js'
import type { AccountFiles } from './accounts.js'

export async function readAccountFiles(rootfs: Rootfs): Promise<AccountFiles> {
  const read = async (name: string) => Buffer.from((await readBytes(rootfs, `etc/${name}`)) ?? []).toString('latin1')
  return {
    passwd: await read('passwd'),
    shadow: await read('shadow'),
    group: await read('group'),
    gshadow: await read('gshadow'),
  }
}

/** Writes what differs from what is there. */
export async function writeAccountFiles(edit: RootfsEdit, files: AccountFiles): Promise<void> {
  // shadow(5) is the group that may read hashes; where there is none, only root may
  const gid = Number(findRecord(files.group, 'shadow')?.[2] ?? 0)
  const secret = { mode: gid === 0 ? 0o600 : 0o640, gid }
  await editText(edit, 'etc/passwd', () => files.passwd)
  await editText(edit, 'etc/shadow', () => files.shadow, secret)
  await editText(edit, 'etc/group', () => files.group)
  await editText(edit, 'etc/gshadow', () => files.gshadow, secret)
}
