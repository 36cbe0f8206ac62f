import { parseFstab } from '@c2m/linux'
import { NO_DISK, PASSING } from '../mounts.js'

const MARK = 'c2m-mount '
const MOST = 1000
/** Characters of one mount; options of overlays are long. */
const MOST_KEPT = 4096

/** What is mounted on a running machine, told on standard error before anything else. */
export class MountList {
  /** For sh(1), without other programs; prints the kernel's list (proc_pid_mounts(5)), which has the form of fstab(5). */
  static readonly script = `test -r /proc/mounts && while read -r m; do echo "${MARK}$m" >&2; done </proc/mounts`

  readonly #lines: string[] = []

  /** @returns whether the line is one of the list */
  readonly take = (line: string): boolean => {
    if (!line.startsWith(MARK)) return false
    if (this.#lines.length < MOST) this.#lines.push(line.slice(MARK.length, MOST_KEPT))
    return true
  }

  /** Mount points below a folder, of file systems that hold more than a running kernel's own. */
  below(folder: string): readonly string[] {
    const prefix = `${folder.replace(/(?<!\/)\/+$/, '')}/`
    const targets = parseFstab(this.#lines.join('\n'))
      .filter(({ type }) => !NO_DISK.test(type) && !TRANSIENT.test(type))
      .map(({ target }) => target)
      .filter((target) => target.startsWith(prefix) && target !== prefix)
      .filter((target) => !PASSING.test(`/${target.slice(prefix.length)}`))
    return [...new Set(targets)]
  }
}

const TRANSIENT =
  /^(?:autofs|bpf|binfmt_misc|configfs|fusectl|nsfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|tracefs)$/
