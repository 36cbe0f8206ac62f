import type { ConfigurationReader } from '../files/configuration-reader.js'
import { runTimeNames } from '../files/run-time-variables.js'

/** What becomes of variables that are secrets: an image's configuration is readable for whoever can pull it. */
export interface SecretVariables {
  readonly names: ReadonlySet<string>
  /** Those of them that a unit or another file sets that is no secret, and so stays in the image. */
  readonly stayInFiles: ReadonlySet<string>
  /** They are not part of the image, neither in its environment nor in its commands. */
  readonly areLeftOut: boolean
}

/** Those that a container gets when it starts. */
export function namesLeftOut({ names, areLeftOut }: SecretVariables): ReadonlySet<string> {
  return areLeftOut ? names : new Set()
}

/** Variables without those that are left out. */
export function withoutSecrets(variables: ReadonlyMap<string, string>, secrets: SecretVariables): Map<string, string> {
  const leftOut = namesLeftOut(secrets)
  return new Map([...variables].filter(([name]) => !leftOut.has(name)))
}

/**
 * Names them, never what they hold.
 * @param commands those of the process, which may have places for variables that are left out
 */
export function warnOfSecrets(
  reader: ConfigurationReader,
  service: string,
  { names, stayInFiles, areLeftOut }: SecretVariables,
  commands: readonly (readonly string[])[],
  hasShell: boolean,
): void {
  if (names.size === 0) return
  const listed = [...names].join(', ')
  if (!areLeftOut) {
    reader.warn(
      `${service}: ${listed} will be readable in the image's configuration; give such variables at run time instead`,
    )
    return
  }
  reader.warn(
    `${service}: ${listed} may hold secrets and are not in the image's configuration; give them to its containers with --env`,
  )
  if (stayInFiles.size > 0) {
    reader.warn(
      `${service}: the files that set ${[...stayInFiles].join(', ')} do not look like secrets and are in the image; --exclude leaves a file out`,
    )
  }
  const needed = [...new Set(commands.flatMap(runTimeNames))].join(', ')
  if (needed === '') return
  reader.warn(
    hasShell
      ? `${service}: its command needs ${needed}: a container without them does not start`
      : `${service}: its command needs ${needed}, and there is no /bin/sh that could put them in: it runs without them; give the image an entry point`,
  )
}
