/** A PC serial port that GRUB can drive itself (grub manual, "serial"). */
export interface SerialPort {
  /** 0 to 3: COM1 to COM4. */
  readonly unit: number
  /** Bits per second. */
  readonly speed: number
}

const SPEEDS = [300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]

/**
 * The first PC serial port among consoles in the kernel's syntax (Documentation/admin-guide/serial-console.rst:
 * `ttyS0,115200n8`; the kernel's default speed is 9600). Other serial consoles, as ttyAMA0, belong to UEFI machines,
 * whose firmware shows GRUB's menu there by itself.
 */
export function serialPort(consoles: readonly string[]): SerialPort | undefined {
  for (const console of consoles) {
    const found = /^ttyS([0-3])(?:,(\d{1,7})(?:[noe][78]?r?)?)?$/.exec(console)
    if (found === null) continue
    const speed = Number(found[2] ?? 9600)
    if (SPEEDS.includes(speed)) return { unit: Number(found[1]), speed }
  }
  return undefined
}

export function serialCommand(port: SerialPort): string {
  return `serial --unit=${port.unit} --speed=${port.speed}`
}

/** The kernel command line with its consoles: the last console gets /dev/console, so their order is kept. */
export function withConsoles(cmdline: readonly string[], consoles: readonly string[]): readonly string[] {
  const words = consoles.map((console) => `console=${console}`)
  return [...cmdline.filter((word) => !words.includes(word)), ...words]
}
