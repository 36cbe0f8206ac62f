const SPEEDS = [300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]

/**
 * SYSLINUX's SERIAL, which has to come first in its configuration, for the first PC serial port among consoles in the
 * kernel's syntax (Documentation/admin-guide/serial-console.rst: `ttyS0,115200n8`; the kernel's default speed is 9600).
 * The screen stays in use beside it, and a machine without the port boots all the same.
 */
export function serialDirective(consoles: readonly string[]): string | undefined {
  for (const console of consoles) {
    const found = /^ttyS([0-3])(?:,(\d{1,7})(?:[noe][78]?r?)?)?$/.exec(console)
    const speed = Number(found?.[2] ?? 9600)
    if (found !== null && SPEEDS.includes(speed)) return `SERIAL ${found[1]} ${speed}`
  }
  return undefined
}

/** The kernel command line with its consoles: the last console gets /dev/console, so their order is kept. */
export function withConsoles(cmdline: readonly string[], consoles: readonly string[]): readonly string[] {
  const words = consoles.map((console) => `console=${console}`)
  return [...cmdline.filter((word) => !words.includes(word)), ...words]
}
