import { baseName } from '../../files/paths.js'
import { serviceStem } from '../known-services.js'
import { DATABASE_FORMS } from './databases.js'
import type { Foreground, Start } from './form.js'
import { OTHER_FORMS } from './others.js'
import { WEB_FORMS } from './web.js'

const FORMS = [...WEB_FORMS, ...DATABASE_FORMS, ...OTHER_FORMS]

/**
 * How a service stays in the foreground, found by its program's name and, where that is a shell, a script or a helper, by its
 * own; undefined when its unit already has it so, or nothing is known of it.
 */
export async function foregroundForm(service: string, start: Start): Promise<Foreground | undefined> {
  const program = baseName(start.argv[0] ?? '')
  const byProgram = FORMS.find(({ name }) => name.test(program))
  const isOther =
    /^(?:sh|bash|dash|true|pg_ctlcluster|systemd-helper)$/.test(program) || /\/init\.d\//.test(start.argv[0] ?? '')
  const form = byProgram ?? (isOther ? FORMS.find(({ name }) => name.test(serviceStem(service))) : undefined)
  return form?.form(start)
}
