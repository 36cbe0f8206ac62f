import { exists, relativePath } from '@c2m/linux'
import type { MachineTask, RootfsEdit, Step } from '@c2m/plugin-api'
import { undivert } from '@c2m/plugin-debian'

const EXCLUSIONS = '/etc/dpkg/dpkg.cfg.d/excludes'
/** dpkg reads no file with a dot in its name, and unminimize takes this one as a sign that there is something to bring back. */
const SET_ASIDE = `${EXCLUSIONS}.dpkg-tmp`
const PROGRAMS = ['usr/bin/unminimize', 'usr/sbin/unminimize', 'usr/local/sbin/unminimize']
const SIGNS = [EXCLUSIONS, SET_ASIDE, '/etc/update-motd.d/60-unminimize']

/**
 * A minimised image has packages without manual pages, most documentation and translations, dpkg told to leave them out of
 * further ones, and a message in place of man. The latter two are undone; to bring back the former is for unminimize.
 */
export async function minimisedSteps(owner: string, { rootfs, warn }: MachineTask): Promise<readonly Step[]> {
  const signs = await Promise.all(SIGNS.map((path) => exists(rootfs, relativePath(path))))
  if (!signs.includes(true)) return []
  const programs = await Promise.all(PROGRAMS.map((path) => exists(rootfs, path)))
  const first = programs.includes(true) ? '' : ' (from the package of that name)'
  warn(
    `the image is minimised: its packages have no manual pages, documentation and translations; unminimize${first} in the machine brings them back`,
  )
  return [
    {
      id: `${owner}/minimised`,
      title: 'let dpkg install manual pages and documentation again',
      phase: 'configure',
      do: 'custom',
      run: ({ rootfs: edit }) => undo(edit),
    },
  ]
}

async function undo(edit: RootfsEdit): Promise<void> {
  const exclusions = relativePath(EXCLUSIONS)
  if ((await edit.stat(exclusions))?.type === 'file') {
    await edit.remove(relativePath(SET_ASIDE))
    await edit.link(exclusions, relativePath(SET_ASIDE))
    await edit.remove(exclusions)
  }
  await undivert(edit, '/usr/bin/man', { script: /unminimize/ })
}
