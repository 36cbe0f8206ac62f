import { styleText } from 'node:util'
import { plainText, shown, visibleJson, visibleMessage, type Reporter } from '@c2m/process'

export type Verbosity = 'quiet' | 'normal' | 'verbose'

/** Stages with bytes and time on a terminal, plain lines elsewhere, JSON events with --json; always on stderr. */
export function makeReporter(verbosity: Verbosity, json: boolean): Reporter {
  if (json) return jsonReporter(verbosity)
  return lineReporter(verbosity, process.stderr.isTTY)
}

function lineReporter(verbosity: Verbosity, tty: boolean): Reporter {
  const write = (text: string) => process.stderr.write(text)
  const paint = (style: Parameters<typeof styleText>[0], text: string) => (tty ? styleText(style, text) : text)
  let running: { title: string; since: number; bytes: number; drawn: number } | undefined
  const clear = () => {
    if (tty && running !== undefined) write('\r\x1b[K')
  }
  const draw = () => {
    if (!tty || running === undefined || verbosity === 'quiet') return
    running.drawn = Date.now()
    write(`\r\x1b[K  ${running.title} …${amounts(running)}`)
  }
  const line = (text: string) => {
    clear()
    write(`${text}\n`)
    draw()
  }
  return {
    stage(name) {
      const title = shown(name)
      const outer = running
      running = { title, since: Date.now(), bytes: 0, drawn: 0 }
      const own = running
      draw()
      return () => {
        clear()
        running = outer
        if (verbosity !== 'quiet') write(`${paint('green', '✓')} ${title}${amounts(own)}\n`)
      }
    },
    progress(bytes) {
      if (running === undefined) return
      running.bytes += bytes
      if (Date.now() - running.drawn > 100) draw()
    },
    info(message) {
      if (verbosity !== 'quiet') line(`  ${visibleMessage(message)}`)
    },
    warn: (message) => line(`${paint('yellow', 'warning:')} ${visibleMessage(message)}`),
    detail(message) {
      // mostly what other programs print, in colours of their own
      if (verbosity === 'verbose') line(paint('dim', `    ${visibleMessage(plainText(message))}`))
    },
  }
}

function jsonReporter(verbosity: Verbosity): Reporter {
  const emit = (event: object) => process.stderr.write(`${visibleJson(event)}\n`)
  const when = (wanted: boolean, event: object) => void (wanted && emit(event))
  let bytes = 0
  return {
    stage(title) {
      const since = Date.now()
      bytes = 0
      when(verbosity !== 'quiet', { event: 'stage', title })
      return () => when(verbosity !== 'quiet', { event: 'done', title, seconds: (Date.now() - since) / 1000, bytes })
    },
    progress(more) {
      bytes += more
    },
    info: (message) => when(verbosity !== 'quiet', { event: 'info', message }),
    warn: (message) => emit({ event: 'warning', message }),
    detail: (message) => when(verbosity === 'verbose', { event: 'detail', message }),
  }
}

function amounts({ bytes, since }: { bytes: number; since: number }): string {
  const seconds = `${((Date.now() - since) / 1000).toFixed(1)} s`
  return bytes > 0 ? ` ${formatBytes(bytes)}, ${seconds}` : ` ${seconds}`
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let index = 0
  for (; bytes >= 1024 && index < units.length - 1; index++) bytes /= 1024
  return `${index === 0 ? bytes : bytes.toFixed(1)} ${units[index]}`
}
