import { parseLocale } from '@c2m/linux'
import type { MachineTask, Step } from '@c2m/plugin-api'

/** musl has one locale with UTF-8; LANG tells programs the language they may speak. Login shells read the file. */
export function localeSteps(owner: string, { machine, warn }: MachineTask): readonly Step[] {
  if (machine.locale === undefined) return []
  const { name } = parseLocale(machine.locale)
  warn(`musl's libc has no locale data: LANG is set to ${name}, and programs with translations of their own follow it`)
  return [
    {
      id: `${owner}/locale`,
      title: `set LANG to ${name}`,
      phase: 'configure',
      do: 'write',
      // before 20locale.sh, which sets LANG when it is not set
      path: '/etc/profile.d/10-c2m-locale.sh',
      mode: 0o644,
      content: `export LANG="\${LANG:-${name}}"\n`,
    },
  ]
}
