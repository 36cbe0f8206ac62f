/** A variable whose value only a shell could tell is in `unknown`. */
export interface ShellAssignments {
  readonly values: ReadonlyMap<string, string>
  readonly unknown: ReadonlySet<string>
  /** Names that programs which the shell runs get too, whether they have values or not. */
  readonly exported: ReadonlySet<string>
}

const MOST_LINES = 20_000
const LONGEST_VALUE = 8 * 1024

/**
 * The plain assignments at the top level of a shell script, as files of settings are (`NAME=value`, `export NAME="$OTHER/x"`,
 * `: ${NAME:=default}`). Nothing is run: functions, conditions, loops and what has a command in it count as unknown.
 * Understands the quoting of POSIX's Shell Command Language, 2.2, and $NAME, ${NAME}, ${NAME:-default} and its likes.
 * @param known values from before, e.g. of another file
 * @param valueOf what a variable's value counts as
 */
export function readShellAssignments(
  text: string,
  known?: ShellAssignments,
  valueOf: (name: string, value: string) => string = (_name, value) => value,
): ShellAssignments {
  const values = new Map(known?.values)
  const unknown = new Set(known?.unknown)
  const exported = new Set(known?.exported)
  let depth = 0
  for (const line of logicalLines(text)) {
    const isFunction = /^(?:function\s+)?[A-Za-z_][\w-]*\s*\(\)/.test(line)
    const opens = isFunction || /^(?:if|case|for|while|until)\b/.test(line)
    if (opens) depth++
    if (depth > 0) {
      const name = /^(?:export\s+|local\s+)?([A-Za-z_]\w*)=/.exec(line)?.[1]
      // what a branch may set is unknown, unless nothing else sets it: then it may well stay unset
      if (name !== undefined && values.has(name) && !opens) unknown.add(name)
      const closesBranch = /(?:^|[;\s])(?:fi|esac|done)\s*(?:[;#|&]|$)/.test(line)
      if (closesBranch || line.startsWith('}') || (isFunction && line.endsWith('}'))) depth--
      continue
    }
    for (const { name, source, onlyIfUnset } of assignmentsOf(line)) {
      if (onlyIfUnset && values.has(name)) continue
      const value = expandWord(source, values, unknown)
      if (value === undefined || value.length > LONGEST_VALUE) {
        unknown.add(name)
        values.delete(name)
      } else {
        unknown.delete(name)
        values.set(name, valueOf(name, value))
      }
    }
    for (const name of exportsOf(line)) exported.add(name)
  }
  return { values, unknown, exported }
}

/** Joins what a backslash or an open quote continues. */
function logicalLines(text: string): readonly string[] {
  const lines: string[] = []
  let open = ''
  let state: QuoteState = ''
  for (const raw of text.split('\n').slice(0, MOST_LINES)) {
    const piece = open === '' ? raw.trimStart() : raw
    if (open === '' && piece.startsWith('#')) continue
    const isShort = open.length + piece.length < LONGEST_VALUE
    const continues = piece.endsWith('\\') && isShort
    // what was joined before is not looked at again
    state = stateAfter(continues ? piece.slice(0, -1) : piece, state, open.at(-1) ?? ' ')
    if (continues || ((state === '"' || state === "'") && isShort)) {
      open += continues ? piece.slice(0, -1) : `${piece}\n`
      continue
    }
    const line = open + piece
    open = ''
    state = ''
    if (line.trim() !== '') lines.push(line.trimEnd())
  }
  return lines
}

/** Within which quotes a text ends, or in a comment. */
type QuoteState = '' | '"' | "'" | '#'

function stateAfter(text: string, before: QuoteState, previous: string): QuoteState {
  let state = before
  for (let at = 0; at < text.length && state !== '#'; at++) {
    const character = text[at]!
    if (state === '' && character === '#' && /\s/.test(text[at - 1] ?? previous)) state = '#'
    else if (character === '\\' && state !== "'") at++
    else if (state === '' && (character === '"' || character === "'")) state = character
    else if (character === state) state = ''
  }
  return state
}

interface Assignment {
  readonly name: string
  readonly source: string
  readonly onlyIfUnset: boolean
}

function assignmentsOf(line: string): readonly Assignment[] {
  const fallback = /^:\s+"?\$\{([A-Za-z_]\w*):?=([^}]*)\}"?\s*$/.exec(line)
  if (fallback !== null) return [{ name: fallback[1]!, source: fallback[2]!, onlyIfUnset: true }]
  const found: Assignment[] = []
  let rest = line.replace(/^export\s+/, '')
  for (;;) {
    const [head, name] = /^([A-Za-z_]\w*)=/.exec(rest) ?? []
    if (head === undefined || name === undefined) break
    const end = endOfWord(rest, head.length)
    found.push({ name, source: rest.slice(head.length, end), onlyIfUnset: false })
    rest = rest.slice(end).replace(/^[\s;]+/, '')
  }
  // NAME=value COMMAND sets it for the command only
  return rest === '' || rest.startsWith('#') ? found : []
}

/** Names after `export`, with a value or without (2.14, "export"). */
function exportsOf(line: string): readonly string[] {
  const [head] = /^export\s+/.exec(line) ?? []
  const names: string[] = []
  for (let at = head?.length ?? line.length; at < line.length; at = endOfWord(line, at) + 1) {
    const name = /^([A-Za-z_]\w*)(?=[=\s;]|$)/.exec(line.slice(at))?.[1]
    if (name !== undefined) names.push(name)
    else if (/^[#;]/.test(line.slice(at))) break
  }
  return names
}

function endOfWord(text: string, from: number): number {
  let quote = ''
  for (let at = from; at < text.length; at++) {
    const character = text[at]!
    if (character === '\\' && quote !== "'") at++
    else if (quote === '' && /[\s;]/.test(character)) return at
    else if (quote === '' && (character === '"' || character === "'")) quote = character
    else if (character === quote) quote = ''
  }
  return text.length
}

/** Undefined when only a shell could tell. */
function expandWord(
  source: string,
  values: ReadonlyMap<string, string>,
  unknown: ReadonlySet<string>,
): string | undefined {
  let value = ''
  let quote = ''
  for (let at = 0; at < source.length && value.length <= LONGEST_VALUE; at++) {
    const character = source[at]!
    if (quote === "'") {
      if (character === "'") quote = ''
      else value += character
    } else if (character === '\\') {
      const next = source[++at] ?? ''
      value += quote === '"' && !/["$`\\]/.test(next) ? `\\${next}` : next
    } else if (character === '"') quote = quote === '"' ? '' : '"'
    else if (character === "'" && quote === '') quote = "'"
    else if (character === '`') return undefined
    else if (character === '$') {
      // a default may have quotes of its own
      const found = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?[-=]("?)([^${}`"'\\]*)\3)?\})/.exec(source.slice(at))
      if (found === null) return undefined
      const name = found[1] ?? found[2]!
      if (unknown.has(name)) return undefined
      const own = values.get(name) ?? ''
      value += own === '' ? (found[4] ?? '') : own
      at += found[0].length - 1
    } else value += character
  }
  return value
}
