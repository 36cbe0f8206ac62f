import { isC2mError, run, requireTool } from '@c2m/process'
import { openControlGroup } from '../limits/cgroup.js'
import { DEFAULT_SECONDS } from '../limits/step-limits.js'
import { inHostsTree } from '../namespace/check.js'
import { hasUserNetwork } from '../network/slirp4netns.js'
import { PROCESSES } from './container.js'
import { CAPABILITIES } from './config.js'

/** One thing that confines the image's programs on this host. */
export interface Confinement {
  readonly what: string
  /** Whether it is as it should be; what cannot be had on this host, or was not asked for, is not. */
  readonly ok: boolean
  readonly found: string
}

/** Says what it sees from inside, 'name value' a line, by nothing but the shell itself. */
const LOOK = `
while read -r name value rest; do
  case $name in Seccomp: | NoNewPrivs: | CapBnd:) echo "$name $value" ;; esac
done < /proc/self/status
while read -r inside outside count; do echo "Uid: $outside $count"; done < /proc/self/uid_map
for file in /proc/self/fd/*; do
  case \${file##*/} in [012] | 10 | 255) ;; *) [ ! -e "$file" ] || echo "Descriptor: \${file##*/}" ;; esac
done
for path in /proc/sys/kernel/core_pattern /sys/kernel; do [ ! -w "$path" ] || echo "Writable: $path"; done
for path in /proc/keys /proc/kallsyms /proc/timer_list; do
  line=
  read -r line < "$path" 2> /dev/null || :
  [ -z "$line" ] || echo "Readable: $path"
done
while read -r name rest; do case $name in lo: | *'|'* | face*) ;; *) echo "Interface: $name" ;; esac; done < /proc/net/dev
while read -r first second value rest; do
  case "$first $second" in 'Max processes') echo "Processes: $value" ;; esac
done < /proc/self/limits
`

/**
 * Looks from inside a container like those of images at what confines it here.
 * @throws C2M_SANDBOX_…, C2M_TOOL_MISSING when there can be none
 */
export async function probeConfinement(): Promise<readonly Confinement[]> {
  const seen = (await inHostsTree('userns', ['/bin/sh', '-c', LOOK])).split('\n')
  const all = (name: string) =>
    seen.flatMap((line) => (line.startsWith(`${name}: `) ? [line.slice(name.length + 2)] : []))
  const [[first = '', count = ''] = [], bounding] = [all('Uid')[0]?.split(' '), BigInt(`0x${all('CapBnd')[0] ?? '0'}`)]
  const capabilities = [...bounding.toString(2)].filter((bit) => bit === '1').length
  const [open, writable, readable, interfaces] = [all('Descriptor'), all('Writable'), all('Readable'), all('Interface')]
  const runtime =
    (await run(await requireTool('crun', 'the sandbox', 'crun'), ['--version'])).stdout.split('\n')[0] ?? ''
  const filtered = all('Seccomp')[0] === '2'
  return [
    { what: 'OCI runtime', ok: true, found: runtime },
    {
      what: 'user',
      ok: first !== '0',
      found: `root in there is ${first} on this host, one of ${count} ids that own nothing else`,
    },
    {
      what: 'system calls',
      ok: filtered,
      found: filtered ? 'filtered: no mounts, namespaces, keys, bpf, perf, io_uring' : 'not filtered',
    },
    {
      what: 'new privileges',
      ok: all('NoNewPrivs')[0] === '1',
      found: all('NoNewPrivs')[0] === '1' ? 'none by set-user-ID programs (no_new_privs)' : 'by set-user-ID programs',
    },
    {
      what: 'capabilities',
      ok: capabilities <= CAPABILITIES.length,
      found: `${capabilities}, in its own user namespace only`,
    },
    {
      what: 'descriptors',
      ok: open.length === 0,
      found: open.length === 0 ? 'standard input, output and error only' : `also ${open.join(', ')}`,
    },
    { what: 'keys of the session', ok: filtered, found: 'a keyring of its own, and no calls for keys' },
    {
      what: '/proc and /sys',
      ok: writable.length + readable.length === 0,
      found: writable.length + readable.length === 0 ? 'read-only, and masked' : [...writable, ...readable].join(', '),
    },
    {
      what: 'network of packages',
      ok: interfaces.length === 0,
      found: 'its own: web servers through a proxy of c2m, not this host (--net)',
    },
    await shellNetwork(),
    {
      what: 'processes',
      ok: Number(all('Processes')[0]) <= PROCESSES,
      found: `${all('Processes')[0]} of each user (RLIMIT_NPROC)`,
    },
    await controlGroups(),
    {
      what: 'time',
      ok: true,
      found: `${DEFAULT_SECONDS / 3600} h for each command of the package step (--package-timeout)`,
    },
    { what: 'disk', ok: true, found: 'the package step ends before the file system of the cache is full' },
  ]
}

async function shellNetwork(): Promise<Confinement> {
  const own = await hasUserNetwork()
  const what = 'network of c2m shell'
  if (own) return { what, ok: true, found: 'its own by slirp4netns, without this host’s loopback device (--net)' }
  return {
    what,
    ok: false,
    found: 'this host’s: loopback services and abstract sockets are reached (slirp4netns, or --net http)',
  }
}

async function controlGroups(): Promise<Confinement> {
  const what = 'memory'
  try {
    await using group = await openControlGroup({ memory: 1024 ** 3 })
    return { what, ok: group !== undefined, found: 'nine tenths of what is free (cgroup v2)' }
  } catch (error) {
    if (!isC2mError(error)) throw error
    return {
      what,
      ok: false,
      found: `not limited (${error.message}); the image's programs are ended first when it runs out`,
    }
  }
}
