import { editText } from '@c2m/linux'
import type { Step, UserRequest } from '@c2m/plugin-api'

/**
 * Members of 'wheel' may become root, which neither doas's nor sudo's configuration allows here by itself. Who has a
 * password is asked for it, who has none cannot be. In both files the last rule that matches counts.
 */
export function becomeRootSteps(
  owner: string,
  users: readonly UserRequest[],
  program: 'sudo' | 'doas',
): readonly Step[] {
  const allowed = users.filter(({ sudo }) => sudo)
  if (allowed.length === 0) return []
  const askedForNone = allowed.filter(({ passwordHash }) => passwordHash === undefined).map(({ name }) => name)
  const title = `let ${allowed.map(({ name }) => name).join(', ')} become root by ${program}`
  const id = `${owner}/become-root`
  if (program === 'sudo') {
    const rules = ['%wheel ALL=(ALL:ALL) ALL', ...askedForNone.map((name) => `${name} ALL=(ALL:ALL) NOPASSWD: ALL`)]
    const content = rules.map((rule) => `${rule}\n`).join('')
    return [{ id, title, phase: 'configure', do: 'write', path: '/etc/sudoers.d/00-c2m', mode: 0o440, content }]
  }
  const rules = ['permit persist :wheel', ...askedForNone.map((name) => `permit nopass ${name}`)]
  return [{ id, title, phase: 'configure', do: 'custom', run: ({ rootfs }) => addRules(rootfs, rules) }]
}

/** doas.conf(5); a link to it in /etc/doas.d, as some releases have it, is followed. */
function addRules(rootfs: Parameters<typeof editText>[0], rules: readonly string[]): Promise<void> {
  return editText(
    rootfs,
    'etc/doas.conf',
    (text) => {
      const missing = rules.filter((rule) => !text.split('\n').includes(rule))
      return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${missing.map((rule) => `${rule}\n`).join('')}`
    },
    { mode: 0o600 },
  )
}
