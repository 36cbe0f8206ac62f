import type { Step } from '@c2m/plugin-api'

export interface OwnService {
  /** Prefix of the steps' ids. */
  readonly owner: string
  /** e.g. 'c2m-grow-root'. */
  readonly name: string
  /** openrc-run(8). */
  readonly script: string
  /** What it is for, as words after 'write' in a title. */
  readonly title: string
  readonly runlevel: string
}

/** A service script of c2m's own, in a runlevel by a link that is known beforehand, so a plan shows it. */
export function ownServiceSteps({ owner, name, script, title, runlevel }: OwnService): readonly Step[] {
  const path = `/etc/init.d/${name}`
  return [
    {
      id: `${owner}/${name}`,
      title: `write ${title}`,
      phase: 'configure',
      do: 'write',
      path,
      mode: 0o755,
      content: script,
    },
    {
      id: `${owner}/${name}/${runlevel}`,
      title: `let the runlevel ${runlevel} start ${name}`,
      phase: 'configure',
      do: 'symlink',
      path: `/etc/runlevels/${runlevel}/${name}`,
      target: path,
    },
  ]
}
