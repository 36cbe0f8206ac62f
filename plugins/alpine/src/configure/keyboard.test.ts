import type { Rootfs, StepContext } from '@c2m/plugin-api'
import { editRootfs } from '@c2m/rootfs'
import { readText } from '@c2m/linux'
import { describe, expect, it } from 'vitest'
import { alpine, image, packagesOf, taskFor } from '../testing/task.js'

const tree = () =>
  image({
    'usr/share/bkeymaps/de/de.bmap.gz': 'x',
    'usr/share/bkeymaps/de/de-nodeadkeys.bmap.gz': 'x',
    'usr/share/bkeymaps/us/us.bmap.gz': 'x',
    'etc/conf.d/loadkmap': '#KEYMAP="/usr/share/keymaps/us.bmap.gz"\n',
    'etc/init.d/loadkmap': 'x',
  })

async function configured(keyboard: string, base: Rootfs): Promise<Rootfs> {
  const rootfs = editRootfs(base, { time: { seconds: 0, nanoseconds: 0 } })
  const steps = await alpine.toMachine(await taskFor('3.19.4', { keyboard }))
  for (const step of steps) {
    if (step.do === 'custom' && /keyboard|runlevels/.test(step.id)) await step.run({ rootfs } as unknown as StepContext)
  }
  return rootfs
}

describe('the keyboard', () => {
  it.each([
    ['de', 'de'],
    ['de:nodeadkeys', 'de-nodeadkeys'],
  ])('%s is loaded at boot', async (keyboard, name) => {
    const machine = await configured(keyboard, tree())
    expect(await readText(machine, 'etc/conf.d/loadkmap')).toContain(
      `\nKEYMAP=/usr/share/bkeymaps/de/${name}.bmap.gz\n`,
    )
    expect(await machine.stat('etc/runlevels/boot/loadkmap')).toMatchObject({ type: 'symlink' })
    expect(await packagesOf(await taskFor('3.19.4', { keyboard }))).toContain('kbd-bkeymaps')
  })
  it.each([
    ['xx', 'there are de, us'],
    ['de:neo', 'there are de:nodeadkeys, de'],
  ])('%s is refused with those there are', async (keyboard, said) => {
    await expect(configured(keyboard, tree())).rejects.toThrow(said)
  })
  it('is left alone when none is named', async () => {
    const steps = await alpine.toMachine(await taskFor('3.19.4'))
    expect(steps.filter(({ id }) => id.includes('keyboard'))).toEqual([])
    expect(await packagesOf(await taskFor('3.19.4'))).not.toContain('kbd-bkeymaps')
  })
})
