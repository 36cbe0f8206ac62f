import type { ConfigurationReader } from '../../files/configuration-reader.js'
import { parseListener, type Listener } from '../listener.js'
import { pathFrom, readIncluding } from './included-files.js'

/** Where packages have it: as apache2, and as httpd in a folder of its own or in apache2's. */
const ROOTS = [
  { folder: '/etc/apache2', file: '/etc/apache2/apache2.conf' },
  { folder: '/etc/httpd', file: '/etc/httpd/conf/httpd.conf' },
  { folder: '/etc/apache2', file: '/etc/apache2/httpd.conf' },
]

/** mpm_common, "Listen": also in <IfModule> blocks, when the module is loaded. */
export async function apacheListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  for (const { folder, file } of ROOTS) {
    if (!(await reader.exists(file))) continue
    const lines: string[] = []
    await readIncluding(reader, [file], (text) => {
      const included: string[] = []
      for (const line of text.split('\n').map((one) => one.trim())) {
        const path = /^Include(?:Optional)?\s+"?([^"\s]+)"?/i.exec(line)?.[1]
        if (path !== undefined) included.push(pathFrom(folder, path))
        else if (/^(?:Listen|LoadModule|<\/?IfModule)\b/i.test(line)) lines.push(line)
      }
      return included
    })
    return listenersOf(lines)
  }
  return []
}

function listenersOf(lines: readonly string[]): readonly (Listener | undefined)[] {
  const modules = new Set(lines.flatMap((line) => /^LoadModule\s+(\S+)/i.exec(line)?.[1] ?? []))
  const found: (Listener | undefined)[] = []
  const open: boolean[] = []
  /** Blocks around the line whose condition does not hold. */
  let closed = 0
  for (const line of lines) {
    const condition = /^<IfModule\s+(!?)"?([^">\s]+)"?\s*>/i.exec(line)
    if (condition !== null) {
      const holds = hasModule(modules, condition[2] ?? '') !== (condition[1] === '!')
      open.push(holds)
      if (!holds) closed++
    } else if (/^<\/IfModule/i.test(line)) {
      if (open.pop() === false) closed--
    } else if (closed === 0) {
      const where = /^Listen\s+"?([^"\s]+)/i.exec(line)?.[1]
      if (where !== undefined) found.push(parseListener(where))
    }
  }
  return found
}

/** By its name, 'ssl_module', or its file's, 'mod_ssl.c'. What is built in is not seen. */
function hasModule(modules: ReadonlySet<string>, name: string): boolean {
  return modules.has(name) || modules.has(name.replace(/^mod_(.*)\.c$/, '$1_module'))
}
