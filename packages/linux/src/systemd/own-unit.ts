import type { Step } from '@c2m/plugin-api'

export interface OwnUnit {
  /** Prefix of the steps' ids. */
  readonly owner: string
  /** With its suffix, e.g. 'c2m-grow-root.service'. */
  readonly name: string
  readonly content: string
  /** What it is for, as words after 'write' in a title. */
  readonly title: string
  /** Units that want it. */
  readonly wantedBy: readonly string[]
}

/** A unit of c2m's own, enabled by links that are known beforehand, so a plan shows them. */
export function ownUnitSteps({ owner, name, content, title, wantedBy }: OwnUnit): readonly Step[] {
  const path = `/etc/systemd/system/${name}`
  return [
    { id: `${owner}/${name}`, title: `write ${title}`, phase: 'configure', do: 'write', path, mode: 0o644, content },
    ...wantedBy.map((target): Step => ({
      id: `${owner}/${name}/${target}`,
      title: `let ${target} start ${name}`,
      phase: 'configure',
      do: 'symlink',
      path: `/etc/systemd/system/${target}.wants/${name}`,
      target: path,
    })),
  ]
}
