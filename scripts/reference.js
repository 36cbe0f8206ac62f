// node scripts/reference.js [--check]: writes what is generated from the code (docs/commands.md, docs/errors.md), or says
// what is out of date.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './setup.js'

const COMMANDS = 'packages/cli/dist/commands'

/** @returns 0 when everything was written, or is up to date */
export async function reference({ check }) {
  const prettier = await import('prettier')
  const options = await prettier.resolveConfig(join(root, 'docs/commands.md'))
  const outputs = {
    'docs/commands.md': await commands(),
    'docs/errors.md': errors(),
  }
  let stale = 0
  for (const [path, text] of Object.entries(outputs)) {
    const formatted = await prettier.format(text, { ...options, filepath: path })
    if (readOr(join(root, path)) === formatted) continue
    if (check) console.error(`${path} is out of date: node scripts/reference.js`)
    else writeFileSync(join(root, path), formatted)
    stale++
  }
  return check && stale > 0 ? 1 : 0
}

function readOr(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

async function commands() {
  const parts = ['# Commands', 'Generated from the program; `c2m COMMAND --help` shows the same.']
  for (const file of filesBelow(join(root, COMMANDS), '.js')) {
    const { default: command } = await import(file)
    const id = relative(join(root, COMMANDS), file)
      .replace(/(?:\/index)?\.js$/, '')
      .replaceAll('/', ' ')
    parts.push(commandText(id, command))
  }
  parts.push(
    '## Plugins from elsewhere',
    '`c2m plugins install PACKAGE|TARBALL`, `c2m plugins link FOLDER` and `c2m plugins uninstall PACKAGE` are those of oclif.',
    '## Every command',
    table(
      ['flag', 'meaning'],
      flagRows(Object.entries((await import(`${root}packages/cli/dist/base-command.js`)).BaseCommand.baseFlags)),
    ),
    '`--json` prints one object on stdout (on stderr when the image goes to stdout) and events as lines on stderr.',
  )
  return parts.join('\n\n')
}

function commandText(id, command) {
  const args = Object.entries(command.args ?? {})
  const usage = [
    'c2m',
    id,
    ...args.map(([name, { required }]) => (required ? name.toUpperCase() : `[${name.toUpperCase()}]`)),
  ]
  const parts = [`## c2m ${id}`, command.summary, command.description, `    ${usage.join(' ')}`]
  if (args.length > 0)
    parts.push(
      table(
        ['argument', 'meaning'],
        args.map(([name, { description }]) => [name.toUpperCase(), description]),
      ),
    )
  const flags = Object.entries(command.flags ?? {})
  if (flags.length > 0) parts.push(table(['flag', 'meaning'], flagRows(flags)))
  const examples = (command.examples ?? []).map(
    (line) => `    ${line.replace('<%= config.bin %>', 'c2m').replace('<%= command.id %>', id)}`,
  )
  if (examples.length > 0) parts.push('Examples:', examples.join('\n'))
  return parts.filter(Boolean).join('\n\n')
}

function flagRows(flags) {
  return flags.map(([name, { char, type, options, multiple, description = '', env }]) => {
    const value = type === 'boolean' ? '' : options === undefined ? ' VALUE' : ` ${options.join('\\|')}`
    const words = [description, multiple ? '(several times)' : '', env ? `($${env})` : '']
    return [`${char ? `\`-${char}\` ` : ''}\`--${name}${value}\``, words.filter(Boolean).join(' ')]
  })
}

function errors() {
  const found = new Map()
  for (const folder of ['packages', 'plugins']) {
    for (const file of filesBelow(join(root, folder), '.ts')) {
      if (/\.test\.ts$|\/(?:dist|testing|node_modules)\//.test(file)) continue
      const where = relative(root, file).split('/').slice(0, 2).join('/')
      const text = readFileSync(file, 'utf8')
      for (const [, code, , message] of text.matchAll(/'(C2M_[A-Z0-9_]+)'(?:,\s*(['"`])((?:\\.|(?!\2)[^\\])*)\2)?/g)) {
        if (/^C2M_(?:.*_DIR|.*_FILE|CONFIG_FILE)$/.test(code) || isVariable(text, code)) continue
        const known = found.get(code)
        if (known?.message === undefined) found.set(code, { where, message: message ?? known?.message })
      }
    }
  }
  const rows = [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { where, message }]) => [`\`${code}\``, where, plain(message)])
  return [
    '# Errors',
    'An error is one sentence with the offending value, a hint that says what to do next, and a code; with `--json` it is an object `{ "error": { "code", "message", "hint", "plugin" } }` on stdout. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something is missing on this host, 130 interrupted.',
    'Generated from the code; `…` stands for what differs.',
    'Errors of the operating system about a file are `C2M_FILE_` and its name, e.g. `C2M_FILE_ENOSPC`.',
    table(['code', 'where', 'says'], rows),
  ].join('\n\n')
}

/** Names of environment variables look the same. */
function isVariable(text, code) {
  return new RegExp(`env(?:\\.|: ')${code}\\b`).test(text)
}

function plain(message = '') {
  return message
    .replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '…')
    .replace(/\\(.)/g, '$1')
    .replaceAll('|', '\\|')
    .replace(/\s+/g, ' ')
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function filesBelow(folder, extension) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(extension) && !name.includes('node_modules'))
    .sort()
    .map((name) => join(folder, name))
}

if (process.argv[1]?.endsWith('reference.js'))
  process.exit(await reference({ check: process.argv.includes('--check') }))
