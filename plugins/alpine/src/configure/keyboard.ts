import { editText, parseKeyboard, setAssignments } from '@c2m/linux'
import type { Rootfs, Step } from '@c2m/plugin-api'

/** kbd's keymaps as busybox's loadkmap reads them: LAYOUT/LAYOUT.bmap.gz, LAYOUT/LAYOUT-VARIANT.bmap.gz. */
const KEYMAPS = 'usr/share/bkeymaps'
const SUFFIX = '.bmap.gz'

/** The console's keymap, which the service loadkmap loads at boot. */
export function keyboardSteps(owner: string, asked: string | undefined): readonly Step[] {
  if (asked === undefined) return []
  const { layout, variant } = parseKeyboard(asked)
  const name = variant === undefined ? layout : `${layout}-${variant}`
  return [
    {
      id: `${owner}/keyboard`,
      title: `set the keyboard ${asked}`,
      phase: 'configure',
      do: 'custom',
      run: async ({ rootfs }) => {
        const keymap = await findKeymap(rootfs, layout, name)
        await editText(rootfs, 'etc/conf.d/loadkmap', (text) => setAssignments(text, { KEYMAP: `/${keymap}` }))
      },
    },
  ]
}

async function findKeymap(rootfs: Rootfs, layout: string, name: string): Promise<string> {
  const files = await rootfs.list(`${KEYMAPS}/${layout}`)
  if (files.includes(`${name}${SUFFIX}`)) return `${KEYMAPS}/${layout}/${name}${SUFFIX}`
  const variants = files.map((file) => file.slice(0, -SUFFIX.length).replace('-', ':'))
  const choice = files.length > 0 ? variants : await rootfs.list(KEYMAPS)
  throw new Error(`there is no such keyboard layout; there are ${choice.join(', ')}`)
}
