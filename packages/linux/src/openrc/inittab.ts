/** Lines of inittab(5), of busybox and of SysV's init, without which OpenRC does not come up; in the form of both. */
const RUNLEVELS = ['::sysinit:/sbin/openrc sysinit', '::sysinit:/sbin/openrc boot', '::wait:/sbin/openrc default']
const ENDING = ['::ctrlaltdel:/sbin/reboot', '::shutdown:/sbin/openrc shutdown']
const SCREENS = ['tty1', 'tty2', 'tty3', 'tty4', 'tty5', 'tty6']

/**
 * busybox's inittab(5) of a machine: the runlevels, a login on the screens and on each of the kernel's consoles that is a
 * line. What an image made comments of comes back; no terminal gets two logins.
 * @param image the image's inittab, or nothing
 * @param consoles in the kernel's `console=` syntax
 */
export function inittab(image: string, consoles: readonly string[]): string {
  const lines = image.split('\n')
  const gettys = new Map([
    ...SCREENS.map((tty) => [tty, `${tty}::respawn:/sbin/getty 38400 ${tty}`] as const),
    ...consoles.flatMap((console) => {
      const line = serialLine(console)
      return line === undefined ? [] : [line]
    }),
  ])
  const placed = new Set<string>()
  const kept = lines.flatMap((line) => {
    const tty = terminalOf(line)
    if (tty === undefined) return [line]
    // its first line, commented or not, is where it stands
    if (placed.has(tty)) return []
    const wanted = gettys.get(tty)
    if (wanted !== undefined) placed.add(tty)
    return wanted === undefined ? [line] : [line.startsWith('#') || isSerial(tty) ? wanted : line]
  })
  const missing = [...gettys].filter(([tty]) => !placed.has(tty)).map(([, line]) => line)
  const has = (line: string) => kept.some((one) => one.trim() === line)
  const text = [
    ...RUNLEVELS.filter((line) => !has(line)),
    ...kept
      .join('\n')
      .replace(/(?<!\n)\n+$/, '')
      .split('\n'),
    ...missing,
    ...ENDING.filter((line) => !kept.some((one) => one.startsWith(line.split(':/')[0]!))),
  ]
  return `${text.join('\n').replace(/^\n+/, '')}\n`
}

/** Terminals that root may log in on, for securetty(5). */
export function loginTerminals(consoles: readonly string[]): readonly string[] {
  return consoles.map((console) => console.split(',')[0] ?? '').filter((tty) => tty !== '' && tty !== 'tty0')
}

/** The terminal of a line that starts a getty, also of one that was made a comment. */
function terminalOf(line: string): string | undefined {
  return /^#?\s*([A-Za-z0-9]{1,32}):[^:]*:respawn:\S*(?:getty|\/bin\/sh -c .*getty)\b/.exec(line)?.[1]
}

function isSerial(tty: string): boolean {
  return !/^tty\d/.test(tty)
}

/**
 * A machine may lack the port (its device node is there all the same); then init would start a getty every second.
 * busybox's init puts 'exec' before a command with quotes and gives it to a shell, hence the second shell.
 */
function serialLine(console: string): readonly [string, string] | undefined {
  const [tty = '', options = ''] = console.split(',')
  if (!/^(?:tty[A-Za-z]+\d+|hvc\d+)$/.test(tty)) return undefined
  const speed = /^\d+/.exec(options)?.[0] ?? (tty.startsWith('hvc') ? '0' : '9600')
  const wait = `stty -F /dev/${tty} >/dev/null 2>&1 || exec sleep 86400`
  return [tty, `${tty}::respawn:/bin/sh -c '${wait}; exec /sbin/getty -L ${speed} ${tty} vt100'`]
}
