/** What the kernel tells of its mounts and swap areas, as text, and nothing but text. */

export interface Mount {
  /** 'major:minor' of what stat(2) gives for files in it; major 0 of file systems that have no device of their own, as btrfs. */
  readonly number: string
  readonly target: string
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
    const [number, target, source] = [fields[2], fields[4], fields[end + 2]]
    if (end < 0 || number === undefined || target === undefined || source === undefined) return []
    return [{ number, target: unescape(target), source: unescape(source) }]
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
