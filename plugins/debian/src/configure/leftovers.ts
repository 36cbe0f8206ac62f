import { editText, relativePath } from '@c2m/linux'
import type { RootfsEdit, Step } from '@c2m/plugin-api'

/**
 * What images for containers configure against being a machine: no services started on installation, no documentation,
 * languages or downloaded packages kept, compressed package lists, dpkg without fsync.
 */
export const CONTAINER_SETTINGS = [
  '/etc/apt/apt.conf.d/docker-autoremove-suggests',
  '/etc/apt/apt.conf.d/docker-clean',
  '/etc/apt/apt.conf.d/docker-gzip-indexes',
  '/etc/apt/apt.conf.d/docker-no-languages',
  '/etc/dpkg/dpkg.cfg.d/docker',
  '/etc/dpkg/dpkg.cfg.d/docker-apt-speedup',
  '/etc/dpkg/dpkg.cfg.d/excludes',
]

const OTHERS = ['/usr/sbin/policy-rc.d', '/.dockerenv', '/run/.containerenv']

const DIVERSIONS = 'var/lib/dpkg/diversions'

export function leftoverSteps(owner: string): readonly Step[] {
  return [
    {
      id: `${owner}/container-settings`,
      title: 'remove what only a container needs',
      phase: 'configure',
      do: 'remove',
      paths: [...CONTAINER_SETTINGS, ...OTHERS],
    },
    {
      id: `${owner}/initctl`,
      title: 'give /sbin/initctl back',
      phase: 'configure',
      do: 'custom',
      run: ({ rootfs }) => undivert(rootfs, '/sbin/initctl'),
    },
  ]
}

/** Undoes `dpkg-divert --local --rename --add PATH` where the path then got a link to /bin/true. */
async function undivert(edit: RootfsEdit, path: string): Promise<void> {
  let diverted: string | undefined
  await editText(edit, DIVERSIONS, (text) => {
    // three lines each: the path, where it went, who diverted it (':' for the administrator)
    const lines = text.split('\n')
    const at = lines.findIndex((line, index) => index % 3 === 0 && line === path && lines[index + 2] === ':')
    if (at === -1) return text
    diverted = lines[at + 1]
    return [...lines.slice(0, at), ...lines.slice(at + 3)].join('\n')
  })
  if (diverted === undefined) return
  const name = relativePath(path)
  const stand = await edit.stat(name)
  if (stand?.type === 'symlink' && stand.linkTarget === '/bin/true') await edit.remove(name)
  const original = relativePath(diverted)
  if ((await edit.stat(original))?.type !== 'file' || (await edit.stat(name)) !== undefined) return
  await edit.link(original, name)
  await edit.remove(original)
}
