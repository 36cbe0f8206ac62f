import { baseName } from '../files/paths.js'

export interface CommandBefore {
  readonly argv: readonly string[]
  readonly ignoresFailure: boolean
}

/** A process with commands that come first: a shell runs them and then becomes the process. */
export function entrypointWith(before: readonly CommandBefore[], argv: readonly string[]): readonly string[] {
  if (before.length === 0) return argv
  const lines = before.map(({ argv: command, ignoresFailure }) => {
    const words = command.map(shellWord).join(' ')
    return ignoresFailure ? `${words} || :` : words
  })
  return ['/bin/sh', '-c', ['set -e', ...lines, 'exec "$@"'].join('\n'), 'sh', ...argv]
}

function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** Whether a command only looks at a configuration: a container's process finds the same faults when it starts. */
export function isConfigurationCheck(argv: readonly string[]): boolean {
  const [program = '', ...words] = argv
  if (/^(?:install|cp|mv|ln|touch|chmod|find)$/.test(baseName(program))) return false
  return words.some((word) =>
    /^(?:-t|-T|-tq|-qt|--?test|--?check(?:-?conf(?:ig)?)?|--?configtest|configtest|checkconfig)$/.test(word),
  )
}
