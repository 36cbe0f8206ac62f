import { editText, parseLocale, setAssignments } from '@c2m/linux'
import type { Step } from '@c2m/plugin-api'

/** /etc/default/locale, which PAM reads at login; the locale's data is made in the packages phase. */
export function localeSteps(owner: string, asked: string | undefined): readonly Step[] {
  if (asked === undefined) return []
  const { name } = parseLocale(asked)
  return [
    {
      id: `${owner}/locale`,
      title: `set the locale ${name}`,
      phase: 'configure',
      do: 'custom',
      run: ({ rootfs }) => editText(rootfs, 'etc/default/locale', (text) => setAssignments(text, { LANG: name })),
    },
  ]
}
