import { spawn } from 'node:child_process'

/** What somebody types, once the terminal shows `after`. */
export interface Typing {
  readonly after: string | RegExp
  readonly keys: string
}

export interface TerminalResult {
  readonly code: number
  /** Everything that the terminal showed. */
  readonly shown: string
  /** The terminal's settings before and after, as stty prints them. */
  readonly settings: readonly [string, string]
}

/** Runs a command on a terminal of 80 columns and 24 lines; writes its output, and what stty says before and after. */
const PROGRAM = `
import fcntl, os, pty, struct, subprocess, sys, termios, threading
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
def settings():
    return subprocess.run(['stty', '-a'], stdin=slave, capture_output=True, text=True).stdout.replace('\\n', ' ')
before = settings()
def child():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
process = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, preexec_fn=child)
def show():
    while True:
        try:
            data = os.read(master, 4096)
        except OSError:
            return
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
def type():
    while True:
        data = os.read(0, 4096)
        if not data:
            return
        os.write(master, data)
for one in (show, type):
    threading.Thread(target=one, daemon=True).start()
try:
    code = process.wait(60)
except subprocess.TimeoutExpired:
    process.terminate()
    code = -1
print(before, settings(), code, sep='\\n', file=sys.stderr, flush=True)
os._exit(0)
`

/** Runs a command on a terminal and types into it; ends it after a minute. */
export function inTerminal(
  argv: readonly string[],
  typing: readonly Typing[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<TerminalResult> {
  const child = spawn('python3', ['-c', PROGRAM, ...argv], { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  let shown = ''
  let seen = 0
  let report = ''
  const left = [...typing]
  child.stderr.on('data', (data: Buffer) => (report += data.toString()))
  child.stdout.on('data', (data: Buffer) => {
    shown += data.toString()
    for (let next = left[0]; next !== undefined; next = left[0]) {
      const fresh = shown.slice(seen)
      if (typeof next.after === 'string' ? !fresh.includes(next.after) : !next.after.test(fresh)) return
      seen = shown.length
      left.shift()
      child.stdin.write(next.keys)
    }
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => {
      const [before = '', after = '', code = '-1'] = report.trimEnd().split('\n').slice(-3)
      resolve({ code: Number(code), shown, settings: [before, after] })
    })
  })
}
