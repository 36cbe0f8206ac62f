import { C2mError, type Reporter } from '@c2m/process'

export interface TarArguments {
  /** What becomes the root of the archive. */
  readonly folder: string
  /** File systems that are mounted below are taken, but for the kernel's own. */
  readonly allFilesystems: boolean
}

/** What only a running kernel shows; their mount points stay. */
const KERNEL_FOLDERS = ['proc', 'sys', 'dev', 'run']

/** GNU tar writes a folder's whole content with every attribute to its standard output. */
export function tarArguments({ folder, allFilesystems }: TarArguments): readonly string[] {
  return [
    ...['--create', '--file=-', '--format=posix', '--numeric-owner', '--sparse'],
    ...['--xattrs', '--xattrs-include=*', '--acls'],
    ...(allFilesystems
      ? ['--anchored', ...KERNEL_FOLDERS.map((name) => `--exclude=./${name}/*`)]
      : ['--one-file-system']),
    `--directory=${folder}`,
    '.',
  ]
}

/** tar's exit code when files changed while they were read (GNU tar manual, "Synopsis"). */
export const TAR_CHANGED = 1
/** tar's exit code when something could not be read. */
export const TAR_FAILED = 2

const CHANGED = /^(?:file changed as we read it|File removed before we read it|File shrank by \d+ bytes?; .*)$/
const FAILED = /^(?:(?:Warning: )?Cannot \w+|Read error at|Unknown file type)/
const MOST_LISTED = 1000
/** Characters of a line that are looked at: the longest path (PATH_MAX), each byte of it escaped. */
const MOST_READ = 20_000
/** Characters of a line that are kept. */
const MOST_KEPT = 4096
const MOST_SHOWN = 5

/** Sorts what GNU tar says on its standard error (in the C locale) by what it means for the archive. */
export class TarDiagnostics {
  /** As tar writes them: names that are unusual are escaped. */
  readonly changed: string[] = []
  readonly failed: string[] = []
  /** Lines that are not tar's: ssh's and sudo's. */
  readonly other: string[] = []

  #failures = 0

  readonly take = (line: string): void => {
    const said = /^(?:\S*\/)?g?tar: (.*)$/.exec(line.slice(0, MOST_READ))?.[1]
    if (said === undefined) return keep(this.other, line)
    // a colon in a name has a backslash before it
    const [, path = '', message = ''] = /^((?:\\.|[^\\])+?): ((?:[A-Z]|file |socket ).*)$/.exec(said) ?? []
    if (CHANGED.test(message)) return keep(this.changed, `${shown(path)}: ${message}`)
    if (FAILED.test(message)) {
      this.#failures++
      return keep(this.failed, `${shown(path)}: ${message}`)
    }
    // sockets are nothing without the process that listens; the rest says again what the exit code says
    if (message === 'socket ignored' || said.startsWith('Exiting with failure status')) return
    keep(this.other, said)
  }

  /** Warns of what changed. */
  report(reporter: Reporter): void {
    for (const line of this.changed) reporter.warn(`changed while it was read: ${line}`)
    for (const line of this.other) reporter.detail(line)
  }

  /** What could not be read, for people. */
  failure(code: string, where: string, hint: string): C2mError {
    const lines = this.failed.length > 0 ? this.failed : this.other
    const hidden = Math.max(this.#failures, lines.length) - MOST_SHOWN
    const more = hidden > 0 ? [`and ${hidden} more`] : []
    const listed = [...lines.slice(0, MOST_SHOWN), ...more].map((line) => `\n  ${line}`).join('')
    return new C2mError(code, `${where} cannot be read completely:${listed}`, { hint })
  }
}

function keep(list: string[], line: string): void {
  if (list.length < MOST_LISTED) list.push(line.slice(0, MOST_KEPT))
}

/** './etc/shadow' → '/etc/shadow' */
function shown(path: string): string {
  return path.replace(/^\.\/?/, '/')
}
