import { quote } from '@c2m/process'

/** Variables that a shell of the host does not let anybody set. */
const READ_ONLY = ['EUID', 'UID', 'PPID', 'BASHOPTS', 'SHELLOPTS', 'BASH_VERSINFO']

/** The assignments as text for a POSIX shell. Names that a shell cannot have are left out, and told. */
export function exportsOf(environment: Readonly<Record<string, string>>, onLeftOut: (name: string) => void): string {
  const lines: string[] = []
  for (const [name, value] of Object.entries(environment)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || READ_ONLY.includes(name) || value.includes('\0')) onLeftOut(name)
    else lines.push(`export ${name}=${quote(value)}\n`)
  }
  return lines.join('')
}
