/** What the kernel tells of its mounts and swap areas, as text, and nothing but text. */

export interface Mount {
  /** 'major:minor' of what stat(2) gives for files in it; major 0 of file systems that have no device of their own, as btrfs. */
  readonly number: string
  /** The part of the file system that is shown, e.g. '/' or, of btrfs, '/@'. */
  readonly root: string
  readonly target: string
  /** Of the file system, e.g. 'ext4'. */
  readonly type: string
  readonly source: string
}

/**
 * proc_pid_mountinfo(5); the optional fields end with '-':
 *
 *     36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 *     id parent major:minor root target options … - type source options
 */
export function parseMountinfo(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ')
    const end = fields.indexOf('-', 6)
    const [, , number, root, target] = fields
    const [type, source] = [fields[end + 1], fields[end + 2]]
    if (end < 0 || !number || root === undefined || target === undefined || !type || source === undefined) return []
    return [{ number, root: unescape(root), target: unescape(target), type, source: unescape(source) }]
  })
}

/** Paths of swap areas: the first column of /proc/swaps (proc(5)), below its heading. */
export function parseSwaps(text: string): readonly string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => line.split(/\s+/)[0] || [])
    .map(unescape)
}

/** Blanks, tabs, newlines and backslashes are written as three octal digits. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
