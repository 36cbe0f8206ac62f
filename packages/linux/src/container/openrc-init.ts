import type { ContainerInit, Rootfs } from '@c2m/plugin-api'
import { exists } from '../files/read.js'
import { editText } from '../files/write.js'

/**
 * OpenRC as a container's first process: rc_sys="docker" in /etc/rc.conf leaves out what only a machine needs (services with
 * `keyword -docker`), and an inittab without terminals. busybox's init shuts down on USR2 (init(8) of busybox).
 */
export async function openrcInit(rootfs: Rootfs): Promise<ContainerInit | undefined> {
  if (!(await exists(rootfs, 'sbin/openrc')) && !(await exists(rootfs, 'usr/bin/openrc'))) return undefined
  const init = await findInit(rootfs)
  if (init === undefined) return undefined
  const isBusybox = (await rootfs.resolve(init.slice(1)))?.endsWith('busybox') === true
  return {
    id: 'openrc',
    process: {
      entrypoint: [init],
      env: { container: 'docker' },
      ...(isBusybox ? { stopSignal: 'SIGUSR2' } : {}),
    },
    steps: [
      {
        id: 'openrc/rc-sys',
        title: 'tell OpenRC that it runs in a container',
        phase: 'configure',
        do: 'custom',
        run: ({ rootfs: edit }) => editText(edit, 'etc/rc.conf', setContainer),
      },
      {
        id: 'openrc/inittab',
        title: 'start no terminals',
        phase: 'configure',
        do: 'custom',
        run: async ({ rootfs: edit }) => {
          if (await exists(edit, 'etc/inittab')) await editText(edit, 'etc/inittab', withoutTerminals)
        },
      },
    ],
    runArguments: ['--tmpfs', '/run', '--tmpfs', '/tmp'],
  }
}

async function findInit(rootfs: Rootfs): Promise<string | undefined> {
  for (const path of ['/sbin/init', '/sbin/openrc-init', '/usr/bin/openrc-init']) {
    const target = await rootfs.resolve(path.slice(1))
    // another init may be installed beside OpenRC
    if (target !== undefined && !target.endsWith('/systemd') && (await exists(rootfs, target))) return path
  }
  return undefined
}

/** rc.conf(5): a later assignment wins; those that say otherwise become comments. */
export function setContainer(text: string): string {
  const lines = text.split('\n').map((line) => (/^\s*(?:rc_sys|rc_provide)=/.test(line) ? `#${line}` : line))
  const kept = lines.join('\n').replace(/(?<!\n)\n+$/, '')
  return `${kept === '' ? '' : `${kept}\n`}rc_sys="docker"\nrc_provide="loopback net"\n`
}

/** inittab(5), of SysV's init and of busybox: lines that start a getty, or watch for keys and power. */
export function withoutTerminals(text: string): string {
  const isTerminal = (line: string) => !/^\s*#/.test(line) && /getty\b|:ctrlaltdel:/.test(line)
  return text
    .split('\n')
    .map((line) => (isTerminal(line) ? `#${line}` : line))
    .join('\n')
}
