import type { ExecStep, Step, TemporaryFileStep } from '@c2m/plugin-api'

/** A script for the sandbox. It is a file while it runs, so that a plan and an error show a short command. */
export interface SandboxScript {
  readonly id: string
  readonly title: string
  readonly script: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** The files of the scripts, and the commands that run them one after the other. @param environment of all of them */
export function scriptSteps(
  owner: string,
  scripts: readonly SandboxScript[],
  environment: Readonly<Record<string, string>>,
): readonly Step[] {
  return [
    ...scripts.map(({ id, script }) =>
      temporaryFileStep(owner, { path: scriptPath(id), content: script, mode: 0o755 }),
    ),
    ...scripts.map(({ id, title, args = [], env = {} }): ExecStep => ({
      id: `${owner}/${id}`,
      title,
      phase: 'packages',
      do: 'exec',
      argv: [scriptPath(id), ...args],
      env: { ...environment, ...env },
    })),
  ]
}

export type TemporaryFile = Pick<TemporaryFileStep, 'path' | 'content' | 'mode'>

export function temporaryFileStep(owner: string, file: TemporaryFile): Step {
  return {
    id: `${owner}/temporary${file.path}`,
    title: `put a temporary ${file.path}`,
    phase: 'packages',
    do: 'temporaryFile',
    ...file,
  }
}

function scriptPath(id: string): string {
  return `/usr/local/sbin/c2m-${id}`
}
