import { baseName } from '../files/paths.js'
import { runTimeNames, shellWord } from '../files/run-time-variables.js'

export interface CommandBefore {
  readonly argv: readonly string[]
  readonly ignoresFailure: boolean
}

/**
 * A process with commands that come first, or with variables that only the container's start tells: a shell runs them and
 * then becomes the process. It ends with a word on what is missing when such a variable is not set.
 */
export function entrypointWith(before: readonly CommandBefore[], argv: readonly string[]): readonly string[] {
  const own = runTimeNames(argv)
  if (before.length === 0 && own.length === 0) return argv
  const names = new Set([...before.flatMap((command) => runTimeNames(command.argv)), ...own])
  // 'set -f': what a variable holds is words, no patterns of files' names
  const lines = names.size === 0 ? [] : ['set -f', ...[...names].map((name) => `: "\${${name}?give it with --env}"`)]
  for (const { argv: command, ignoresFailure } of before) {
    const words = command.map(shellWord).join(' ')
    lines.push(ignoresFailure ? `${words} || :` : words)
  }
  const script = (last: string) => ['set -e', ...lines, last].join('\n')
  if (own.length === 0) return ['/bin/sh', '-c', script('exec "$@"'), 'sh', ...argv]
  return ['/bin/sh', '-c', script(`exec ${argv.map(shellWord).join(' ')} "$@"`), 'sh']
}

/** Whether a command only looks at a configuration: a container's process finds the same faults when it starts. */
export function isConfigurationCheck(argv: readonly string[]): boolean {
  const [program = '', ...words] = argv
  if (/^(?:install|cp|mv|ln|touch|chmod|find)$/.test(baseName(program))) return false
  return words.some((word) =>
    /^(?:-t|-T|-tq|-qt|--?test|--?check(?:-?conf(?:ig)?)?|--?configtest|configtest|checkconfig)$/.test(word),
  )
}
