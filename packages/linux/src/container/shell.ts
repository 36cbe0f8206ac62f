import type { Rootfs } from '@c2m/plugin-api'
import { findRecord } from '../accounts/colon-file.js'
import { exists, readText } from '../files/read.js'

const SHELLS = ['/bin/bash', '/bin/ash', '/bin/sh']

/** root's login shell, else the first of the usual ones; undefined when there is none. */
export async function findShell(rootfs: Rootfs): Promise<string | undefined> {
  const passwd = await readText(rootfs, 'etc/passwd').catch(() => undefined)
  const own = findRecord(passwd ?? '', 'root')?.[6]?.trim() ?? ''
  const isShell = /^\/[\w./+-]+$/.test(own) && !/(?:nologin|false|sync)$/.test(own)
  for (const shell of isShell ? [own, ...SHELLS] : SHELLS) if (await exists(rootfs, shell)) return shell
  return undefined
}
