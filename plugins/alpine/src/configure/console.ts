import { editText, inittab, loginTerminals } from '@c2m/linux'
import type { Step } from '@c2m/plugin-api'

export function consoleSteps(owner: string, consoles: readonly string[]): readonly Step[] {
  return [
    {
      id: `${owner}/inittab`,
      title: 'write /etc/inittab: runlevels, and a login on each console',
      phase: 'configure',
      do: 'custom',
      run: ({ rootfs }) => editText(rootfs, 'etc/inittab', (text) => inittab(text, consoles)),
    },
    {
      id: `${owner}/securetty`,
      title: 'let root log in on the consoles',
      phase: 'configure',
      do: 'custom',
      run: ({ rootfs }) => editText(rootfs, 'etc/securetty', (text) => securetty(text, loginTerminals(consoles))),
    },
  ]
}

/** securetty(5). */
function securetty(text: string, terminals: readonly string[]): string {
  const lines = text.split('\n')
  const missing = terminals.filter((tty) => !lines.includes(tty))
  if (missing.length === 0) return text
  return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${missing.map((tty) => `${tty}\n`).join('')}`
}
