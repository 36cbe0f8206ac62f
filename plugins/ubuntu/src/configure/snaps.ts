import { baseName, exists, readText, SYSTEM_UNITS, TEXT_LIMITS, unitValue, parseUnitFile } from '@c2m/linux'
import type { RootfsEdit, Step } from '@c2m/plugin-api'

/**
 * snapd's mount units of snaps whose files an image lacks, as images made of machines do: each of them, and each service of
 * such a snap, would fail at every boot. What snapd knows of its snaps goes with them, so that it begins anew.
 */
export function snapSteps(owner: string): readonly Step[] {
  return [
    {
      id: `${owner}/snaps`,
      title: 'forget snaps whose files are not in the image',
      phase: 'configure',
      do: 'custom',
      run: ({ rootfs }) => forgetLostSnaps(rootfs),
    },
  ]
}

async function forgetLostSnaps(edit: RootfsEdit): Promise<void> {
  const units = await edit.list(SYSTEM_UNITS)
  const lost = new Set<string>()
  const gone = new Set<string>()
  for (const unit of units) {
    // snap-core20-1234.mount, of /snap/core20/1234
    const snap = /^snap-(.+)-x?\d+\.mount$/.exec(unit)?.[1]
    const what = snap === undefined ? undefined : await source(edit, unit)
    if (snap === undefined || what === undefined || (await exists(edit, what))) continue
    gone.add(unit)
    lost.add(snap.replaceAll('\\x2d', '-'))
  }
  if (lost.size === 0) return
  for (const unit of units) {
    // snap.lxd.daemon.service
    const [, snap = ''] = /^snap\.([^.]+)\..+\.(?:service|socket|timer)$/.exec(unit) ?? []
    if (lost.has(snap)) gone.add(unit)
  }
  for (const unit of gone) await edit.remove(`${SYSTEM_UNITS}/${unit}`)
  for (const folder of units.filter((name) => /\.(?:wants|requires)$/.test(name))) {
    for (const link of await edit.list(`${SYSTEM_UNITS}/${folder}`)) {
      if (gone.has(baseName(link))) await edit.remove(`${SYSTEM_UNITS}/${folder}/${link}`)
    }
  }
  await edit.remove('var/lib/snapd/state.json')
}

/** What a mount unit mounts, if that is a snap's file. */
async function source(edit: RootfsEdit, unit: string): Promise<string | undefined> {
  const text = await readText(edit, `${SYSTEM_UNITS}/${unit}`, TEXT_LIMITS.short)
  const what = text === undefined ? undefined : unitValue(parseUnitFile(text), 'Mount', 'What')
  return what?.startsWith('/var/lib/snapd/snaps/') === true ? what.slice(1) : undefined
}
