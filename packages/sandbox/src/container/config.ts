import { seccompFilter } from './seccomp.js'

/** A process of the image, as the OCI runtime specification has it (config.md, "process"). */
export interface ContainerProcess {
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Absolute, in the image; must exist. */
  readonly workingDirectory: string
  /** Ids in the image, below 65536. */
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }
  /** Gives it a terminal of this size, which the runtime joins to its own standard input and output. */
  readonly terminal: { readonly width: number; readonly height: number } | undefined
}

export interface ContainerOptions {
  /** The tree that becomes its root directory. */
  readonly root: string
  /** Process namespace that it joins. */
  readonly pidNamespace: string
  /** Directory that is mounted as /sys; undefined for a sysfs of its own, which needs a network namespace of its own. */
  readonly sys: string | undefined
  /** GOARCH of the image's programs. */
  readonly architecture: string
  /** Processes and threads of each of its users at most (RLIMIT_NPROC, getrlimit(2)). */
  readonly processes: number
}

/**
 * What package managers need and no more: podman's default set. Nothing here reaches beyond the user namespace that the
 * container lies in, and where there is none, no device can be made: the host's could be opened by it.
 */
export const CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
]

/** What shows or changes the host (config-linux.md, "Masked Paths", and what podman and runc add). */
const MASKED = [
  ...[
    '1',
    'acpi',
    'asound',
    'config.gz',
    'kallsyms',
    'kcore',
    'keys',
    'key-users',
    'kpagecount',
    'kpageflags',
    'latency_stats',
  ],
  ...['sched_debug', 'scsi', 'slabinfo', 'sysrq-trigger', 'timer_list', 'timer_stats', 'vmallocinfo'],
].map((name) => `/proc/${name}`)
const MASKED_SYS = ['/sys/firmware', '/sys/fs/selinux', '/sys/dev/block', '/sys/devices/virtual/powercap']
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys']

/**
 * config.json of a bundle for an OCI runtime. Cgroup and network namespaces, and the limits of control groups, are those of
 * the process that starts the runtime.
 */
export function containerConfig(process: ContainerProcess, options: ContainerOptions): unknown {
  const { root, pidNamespace, sys, processes, architecture } = options
  const { uid, gid, groups } = process.user
  return {
    ociVersion: '1.0.2',
    root: { path: root, readonly: false },
    hostname: 'localhost',
    process: {
      terminal: process.terminal !== undefined,
      ...(process.terminal === undefined ? {} : { consoleSize: process.terminal }),
      user: { uid, gid, additionalGids: groups, umask: 0o022 },
      args: process.argv,
      env: Object.entries(process.environment).map(([name, value]) => `${name}=${value}`),
      cwd: process.workingDirectory,
      noNewPrivileges: true,
      capabilities: {
        bounding: CAPABILITIES,
        // as execve(2) gives them to a root program, and to no other
        effective: uid === 0 ? CAPABILITIES : [],
        permitted: uid === 0 ? CAPABILITIES : [],
        inheritable: [],
        ambient: [],
      },
      rlimits: [
        { type: 'RLIMIT_CORE', hard: 0, soft: 0 },
        { type: 'RLIMIT_NPROC', hard: processes, soft: processes },
      ],
      // when memory runs out, the image's programs end before the host's
      oomScoreAdj: 1000,
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'noexec', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
      },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
      sys === undefined
        ? { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] }
        : { destination: '/sys', type: 'bind', source: sys, options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] },
    ],
    linux: {
      namespaces: [
        { type: 'mount' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'cgroup' },
        { type: 'pid', path: pidNamespace },
      ],
      seccomp: seccompFilter(globalThis.process.arch, architecture),
      maskedPaths: [...MASKED, ...MASKED_SYS],
      readonlyPaths: READ_ONLY,
    },
  }
}
