import { execFileSync } from 'node:child_process'
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from './paths.js'

const NAME = 'c2m-test'
const UID = 61_234
const SUBORDINATE = '300000:65536'

export const isRoot = process.getuid?.() === 0

/** Where the ordinary user sees the checkout: the real one may lie in a folder of root's. */
export const CHECKOUT = isRoot ? '/mnt/' : ROOT

/**
 * A command line that runs what follows it as a user without any right, who has subordinate ids as useradd gives them.
 * The user exists in a mount namespace of its own only: the host's /etc/passwd, /etc/subuid and /etc/subgid stay as they
 * are. Run by an ordinary user, it is that user.
 * @param home a folder that becomes the user's
 * @param tracer put around the program, e.g. ['strace', …]; gets `-u USER` when run by root
 */
export async function asOrdinaryUser(home: string, tracer: readonly string[] = []): Promise<readonly string[]> {
  if (!isRoot) return tracer
  const etc = join(home, 'etc')
  await mkdir(etc)
  const passwd = execFileSync('cat', ['/etc/passwd'], { encoding: 'utf8' })
  await writeFile(join(etc, 'passwd'), `${passwd}${NAME}:x:${UID}:${UID}::${home}:/bin/sh\n`)
  await writeFile(join(etc, 'subuid'), `${NAME}:${SUBORDINATE}\n`)
  await writeFile(join(etc, 'subgid'), `${NAME}:${SUBORDINATE}\n`)
  await chown(home, UID, UID)
  const script = [
    'set -e',
    'for f in passwd subuid subgid; do touch /etc/$f; mount --bind "$0/etc/$f" /etc/$f; done',
    `mount --bind "${ROOT}" /mnt`,
    'cd "$0"; export HOME="$0"; unset XDG_CACHE_HOME',
    tracer.length > 0
      ? 'exec "$@"'
      : `exec setpriv --reuid=${UID} --regid=${UID} --clear-groups --inh-caps=-all --bounding-set=+all "$@"`,
  ].join('\n')
  const [program, ...rest] = tracer
  const traced = program === undefined ? [] : [program, '-u', NAME, ...rest]
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, home, ...traced]
}
