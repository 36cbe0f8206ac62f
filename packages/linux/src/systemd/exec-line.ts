import { runTimeVariable, runTimeWords } from '../files/run-time-variables.js'
import { splitWords } from './words.js'

/** Characters of a command with its variables put in: Linux takes no more (execve(2), "Limits on size of arguments"). */
const LONGEST_COMMAND = 2 * 1024 * 1024

/** One command of an Exec…= line (systemd.service(5), "Command lines"), before variables are put in. */
export interface ExecCommand {
  readonly argv: readonly string[]
  /** '-': its failure is none. */
  readonly ignoresFailure: boolean
  /** '+' or '!': the unit's User= does not apply. */
  readonly asRoot: boolean
  /** ':': variables are left as they stand. */
  readonly literal: boolean
}

/**
 * Reads an Exec…= value: prefixes, quoting, several commands between ';'. Specifiers are expanded word by word, as systemd
 * does, so that they cannot make more words. A leading '@' gives a program another name than its file's; no container can.
 * @param expand for specifiers
 * @throws when a quote is left open
 */
export function parseExecLine(
  value: string,
  expand: (text: string) => string = (text) => text,
): readonly ExecCommand[] {
  const commands: ExecCommand[] = []
  let words: string[] = []
  for (const { text, source } of splitWords(value)) {
    if (source === ';') {
      pushCommand(commands, words)
      words = []
    } else words.push(source === '\\;' ? ';' : expand(text))
  }
  pushCommand(commands, words)
  return commands
}

function pushCommand(commands: ExecCommand[], words: readonly string[]): void {
  const [first = '', ...rest] = words
  const [prefixes = ''] = /^[-@:+!|]*/.exec(first) ?? []
  const program = first.slice(prefixes.length)
  if (program === '') return
  const privileged = prefixes.replaceAll('!!', '')
  commands.push({
    argv: [program, ...(prefixes.includes('@') ? rest.slice(1) : rest)],
    ignoresFailure: prefixes.includes('-'),
    asRoot: /[+!]/.test(privileged),
    literal: prefixes.includes(':'),
  })
}

/**
 * Puts variables in (systemd.service(5)): '${NAME}' within a word, '$NAME' as a whole word, which then becomes as many words
 * as its value has; '$$' is '$'. What is not set is empty. The program's own name stays as it is.
 * @param later variables that only a shell is to put in, when the command runs
 * @throws when it becomes longer than any command can be
 */
export function substituteVariables(
  command: ExecCommand,
  environment: ReadonlyMap<string, string>,
  later: ReadonlySet<string> = new Set(),
): readonly string[] {
  if (command.literal) return command.argv
  const [program = '', ...words] = command.argv
  let length = 0
  const spend = (text: string): string => {
    length += text.length
    if (length > LONGEST_COMMAND) throw new Error(`its command has more than ${LONGEST_COMMAND} characters`)
    return text
  }
  return [
    program,
    ...words.flatMap((word) => {
      const whole = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(word)?.[1]
      if (whole !== undefined && later.has(whole)) return [runTimeWords(whole)]
      if (whole !== undefined) return valueWords(spend(environment.get(whole) ?? ''))
      return [
        word.replace(/\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_found, name: string | undefined) => {
          if (name === undefined) return '$'
          return later.has(name) ? runTimeVariable(name) : spend(environment.get(name) ?? '')
        }),
      ]
    }),
  ]
}

function valueWords(value: string): readonly string[] {
  try {
    return splitWords(value).map(({ text }) => text)
  } catch {
    // a quote that nothing closes stands for itself in a variable
    return value.split(/\s+/).filter((word) => word !== '')
  }
}
