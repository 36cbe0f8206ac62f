import { serialCommand, type SerialPort, withConsoles } from './console.js'
import { wholeSeconds } from './menu.js'
import { kernelArguments, quote } from './quoting.js'

export interface Defaults {
  readonly cmdline: readonly string[]
  readonly consoles: readonly string[]
  /** The serial port that GRUB itself is to drive. */
  readonly serial: SerialPort | undefined
  /** Seconds. */
  readonly timeout: number
}

const BEGIN = '# c2m begin'
const END = '# c2m end'

/**
 * Settings for grub-mkconfig (GRUB manual, "Simple configuration handling"), so that the guest's own menu equals the
 * first one. A shell reads the file, and its value is pasted into GRUB script: hence one quoting inside the other.
 */
export function defaultsText({ cmdline, consoles, serial, timeout }: Defaults): string {
  const settings: readonly (readonly [string, string])[] = [
    ['GRUB_TIMEOUT', String(wholeSeconds(timeout))],
    ['GRUB_TIMEOUT_STYLE', 'menu'],
    ['GRUB_CMDLINE_LINUX_DEFAULT', ''],
    ['GRUB_CMDLINE_LINUX', kernelArguments(withConsoles(cmdline, consoles))],
    ['GRUB_TERMINAL', serial === undefined ? 'console' : 'console serial'],
    ...(serial === undefined ? [] : [['GRUB_SERIAL_COMMAND', serialCommand(serial)] as const]),
    ['GRUB_DISABLE_OS_PROBER', 'true'],
    ['GRUB_DISABLE_LINUX_PARTUUID', 'false'],
  ]
  return [
    '# How c2m configured this machine. After a change run update-grub.',
    ...settings.map(([name, value]) => `${name}=${quote(value)}`),
    '',
  ].join('\n')
}

/**
 * `text` at the end of an /etc/default/grub, where it wins; in place of what an earlier run put there. The rest of the
 * file keeps its bytes, whatever their encoding.
 */
export function mergeDefaults(existing: Uint8Array, text: string): Uint8Array {
  const kept = withoutBlock(Buffer.from(existing).toString('latin1'))
  const separator = kept === '' || kept.endsWith('\n') ? '' : '\n'
  return Buffer.concat([Buffer.from(kept + separator, 'latin1'), Buffer.from(`${BEGIN}\n${text}${END}\n`)])
}

function withoutBlock(existing: string): string {
  const begin = existing.indexOf(`${BEGIN}\n`)
  const end = existing.indexOf(`${END}\n`, begin)
  if (begin < 0 || end < 0) return existing
  return existing.slice(0, begin) + existing.slice(end + END.length + 1)
}
