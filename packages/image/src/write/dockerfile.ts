import type { Reporter } from '@c2m/process'
import type { NewImage } from './new-image.js'
import { sorted } from './config.js'

/**
 * What of an image's configuration a Dockerfile can say, one instruction a line (Dockerfile reference; the same lines
 * serve `docker import --change`). Values are quoted so that the builder neither splits them nor replaces variables.
 * What cannot be said is left out with a warning.
 */
export function configInstructions({ config, volumes = [] }: NewImage, reporter: Reporter): readonly string[] {
  const { env, exposedPorts, labels, stopSignal, user, workingDir, entrypoint, cmd } = config
  const lines: string[] = []
  const say = (what: string, values: readonly string[], line: () => string) => {
    const bad = values.find((value) => /[\r\n\0]/.test(value))
    if (bad === undefined) lines.push(line())
    else reporter.warn(`${what} is left out: a Dockerfile cannot say a value with a line break`)
  }
  for (const variable of env) {
    const [name, value] = splitVariable(variable)
    // the name is written bare, so it must be one word
    if (!/^[^\s"'\\$=]+$/.test(name))
      reporter.warn(`the variable ${JSON.stringify(name)} is left out: a Dockerfile cannot name it`)
    else say(`the variable ${name}`, [value], () => `ENV ${name}=${quoted(value)}`)
  }
  for (const [name, value] of Object.entries(sorted(labels)))
    say(`the label ${name}`, [name, value], () => `LABEL ${quoted(name)}=${quoted(value)}`)
  if (exposedPorts.length > 0) lines.push(`EXPOSE ${[...exposedPorts].sort().join(' ')}`)
  if (volumes.length > 0) say('VOLUME', volumes, () => `VOLUME ${execForm([...volumes].sort().map(withoutVariables))}`)
  if (workingDir !== undefined) say('WORKDIR', [workingDir], () => `WORKDIR ${withoutVariables(workingDir)}`)
  if (user !== undefined) say('USER', [user], () => `USER ${withoutVariables(user)}`)
  if (stopSignal !== undefined) say('STOPSIGNAL', [stopSignal], () => `STOPSIGNAL ${withoutVariables(stopSignal)}`)
  if (entrypoint.length > 0) lines.push(`ENTRYPOINT ${execForm(entrypoint)}`)
  if (cmd.length > 0) lines.push(`CMD ${execForm(cmd)}`)
  return lines
}

export function encodeDockerfile(image: NewImage, tar: string, reporter: Reporter): string {
  return ['FROM scratch', `ADD ${tar} /`, ...configInstructions(image, reporter), ''].join('\n')
}

function splitVariable(text: string): [string, string] {
  const equals = text.indexOf('=')
  return equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
}

/** Within double quotes the builder reads \", \$ and \\ as the second character, everything else as it stands. */
function quoted(value: string): string {
  return `"${value.replace(/["$\\]/g, '\\$&')}"`
}

/** For instructions whose arguments are words in which variables are replaced and quotes removed. */
function withoutVariables(value: string): string {
  return value.replace(/["'$\\]/g, '\\$&')
}

/** JSON, in which an escaped line break is no line break. */
function execForm(words: readonly string[]): string {
  return JSON.stringify(words)
}
