import { readFile } from 'node:fs/promises'
import { requireTool } from '@c2m/process'
import type { Session } from '../namespace/session.js'
import { containerConfig, type ContainerOptions, type ContainerProcess } from './config.js'

/**
 * A process of the image in a container: namespaces, a root directory, a filter of system calls and capabilities of its
 * own, made by an OCI runtime in the session. It is prepared here; whoever needs it starts `argv` in the session once.
 */
export interface Container {
  /** Host program that runs the container to its end, with the process's standard streams and exit code. */
  readonly argv: readonly string[]
  /** Sends the process and its group a signal. */
  signal(name: NodeJS.Signals): Promise<void>
  /** Gives its terminal another size; its program is told by the kernel (SIGWINCH). */
  resize(size: { readonly width: number; readonly height: number }): Promise<void>
  /** Ends everything in the container. */
  kill(): Promise<void>
}

/** What a container's program writes to descriptor 3. */
export interface ContainerStatus {
  /** Whether the image's program was started. */
  readonly entered: boolean
  /** What the runtime reports. */
  readonly said: string
}

/** Processes and threads that each user of a container may have at most: twice what podman allows a container. */
export const PROCESSES = 4096

/** $1 bundle; config.json comes on standard input. */
const WRITE_BUNDLE = `
set -eu
umask 077
mkdir -p "$1"
cat > "$1/config.json"
`

/**
 * $1 bundle, $2 the runtime, $3 name. The container's process namespace has a first process of its own, which reaps what is
 * left to it, and with which everything in there ends. It is nobody, it can do nothing, and, since it may run its program
 * but not read it, nobody can look into it (ptrace(2), "dumpable").
 */
const RUN = `
set -eu
cd "$1"
mkfifo started
{
  unshare --pid --fork --kill-child -- sh -c '
    read -r pid rest < /proc/self/stat
    echo "$pid" > started
    trap "" CHLD
    exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all --no-new-privs \\
      /tmp/init/sleep 2147483647' || echo failed > started
} < /dev/null > /dev/null 2> unshare.log 3>&- &
read -r init < started
rm started
case $init in *[!0-9]*) cat unshare.log >&3; exit 1 ;; esac
echo "$init" > init
ln -s "/proc/$init/ns/pid" pid-namespace
code=0
"$2" --root /tmp/runtime --cgroup-manager=disabled --log "$1/log" run --bundle "$1" --pid-file "$1/pid" "$3" 3>&- || code=$?
if [ -s pid ]; then echo entered >&3; fi
if [ -s log ]; then cat log >&3; fi
kill -KILL "$init"
wait
exit "$code"
`

/** $1 bundle, $2 signal without SIG. The runtime wrote the number before the image's program began, and not where it can. */
const SIGNAL = `
pid=$(cat "$1/pid") || exit 0
kill -s "$2" -- "-$pid" 2> /dev/null || :
`

/** $1 bundle, $2 rows, $3 columns. */
const RESIZE = `
pid=$(cat "$1/pid") || exit 0
stty rows "$2" cols "$3" < "/proc/$pid/fd/0" || :
`

/** $1 bundle. */
const KILL = `
init=$(cat "$1/init") || exit 0
kill -KILL "$init" 2> /dev/null || :
`

let count = 0

/**
 * @throws C2M_TOOL_MISSING (exit code 3), C2M_SANDBOX_FAILED, C2M_INTERRUPTED
 */
export async function prepareContainer(
  session: Session,
  process: ContainerProcess,
  options: Pick<ContainerOptions, 'root' | 'sys' | 'architecture'>,
): Promise<Container> {
  const runtime = await requireTool('crun', 'the sandbox', 'crun')
  const name = `c2m-${++count}`
  const bundle = `/tmp/bundles/${name}`
  const config = containerConfig(process, {
    ...options,
    pidNamespace: `${bundle}/pid-namespace`,
    processes: Math.min(PROCESSES, await ownProcessLimit()),
  })
  await session.run('write the configuration of the container', ['sh', '-c', WRITE_BUNDLE, 'c2m', bundle], {
    input: JSON.stringify(config),
  })
  const script = async (text: string, ...args: readonly string[]) => {
    const child = session.start(['sh', '-c', text, 'c2m', bundle, ...args])
    child.stdout.resume()
    await child.finished.catch(() => undefined) // the session has ended meanwhile
  }
  return {
    argv: ['sh', '-c', RUN, 'c2m', bundle, runtime, name],
    signal: (signal) => script(SIGNAL, signal.slice(3)),
    resize: ({ width, height }) => script(RESIZE, String(height), String(width)),
    kill: () => script(KILL),
  }
}

/** The hard limit of this process, which no process can raise (proc_pid_limits(5)). */
async function ownProcessLimit(): Promise<number> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const [, hard] = /^Max processes\s+\S+\s+(\d+)/m.exec(text) ?? []
  return hard === undefined ? Number.POSITIVE_INFINITY : Number(hard)
}

/** @param text what was written to descriptor 3 */
export function containerStatus(text: string): ContainerStatus {
  const entered = /^entered$/m.test(text)
  const lines = text.split('\n').filter((line) => line !== '' && line !== 'entered')
  // the runtime's log has the time before each line
  return { entered, said: lines.map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z:? /, '')).join('\n') }
}

/**
 * What a shell gives when there is no such program, or it cannot be run (POSIX, "Exit Status for Commands"); undefined when
 * the runtime failed for another reason. It has said it on standard error too.
 */
export function programFault(said: string): 126 | 127 | undefined {
  if (/executable file `[^`]*` not found/.test(said)) return 127
  return /^(?:open executable|exec(?:ve|vpe)? )/m.test(said) ? 126 : undefined
}
