import type { Step } from '@c2m/plugin-api'

/**
 * Those who may become root but have no password cannot be asked for one (they came with an SSH key); the others are asked,
 * by the distro's own rule for the sudo group. The file's name begins with digits so that it is read first and a rule of
 * the administrator wins.
 */
export function passwordlessSudo(owner: string, users: readonly string[]): readonly Step[] {
  if (users.length === 0) return []
  const rules = users.map((user) => `${user} ALL=(ALL:ALL) NOPASSWD: ALL\n`)
  return [
    {
      id: `${owner}/sudo-without-password`,
      title: `let ${users.join(', ')} use sudo without a password, having none`,
      phase: 'configure',
      do: 'write',
      path: '/etc/sudoers.d/00-c2m',
      mode: 0o440,
      content: rules.join(''),
    },
  ]
}
