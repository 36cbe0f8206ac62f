import { cleanRootfs } from '@c2m/rootfs'
import { treeOf } from '@c2m/testkit'
import { describe, expect, it } from 'vitest'
import { CLEANING } from './cleaning.js'

const UNITS = 'etc/systemd/system'

async function kept(ids: readonly string[], files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const rules = CLEANING.filter(({ id }) => ids.includes(id))
  const { rootfs } = await cleanRootfs(await treeOf(files), rules, { clean: ids })
  const left: string[] = []
  for (const path of Object.keys(files)) if ((await rootfs.stat(path)) !== undefined) left.push(path)
  return left
}

describe('cleaning', () => {
  it('takes snaps away, and nothing that only looks like them', async () => {
    const own = { [`${UNITS}/snapshot.service`]: '', 'etc/snap.conf': '', 'usr/lib/snapd/snapd': '' }
    const files = {
      ...own,
      [`${UNITS}/snap-core22-7.mount`]: '',
      [`${UNITS}/multi-user.target.wants/snap-core22-7.mount`]: `-> /${UNITS}/snap-core22-7.mount`,
      [`${UNITS}/snap.lxd.daemon.service`]: '',
      [`${UNITS}/sockets.target.wants/snap.lxd.daemon.unix.socket`]: '-> x',
      'snap/core22/7/bin/sh': '',
      'var/lib/snapd/state.json': '{}',
      'var/lib/snapd/apparmor/profiles/snap.lxd': '',
    }
    expect(await kept(['snaps'], files)).toEqual(Object.keys(own))
  })
  it('keeps data unless it is asked for', async () => {
    expect(CLEANING.filter(({ byDefault }) => !byDefault).map(({ id }) => id)).toEqual(['snap-data'])
    const data = { 'home/ann/snap/app/x': '', 'root/snap/y': '', 'var/snap/lxd/common/z': '' }
    expect(await kept(['snaps'], data)).toEqual(Object.keys(data))
    expect(await kept(['snap-data'], { ...data, 'home/ann/notes': '' })).toEqual(['home/ann/notes'])
  })
  it("takes the machine's subscription away", async () => {
    const files = { 'var/lib/ubuntu-advantage/machine-token.json': '{}', 'var/lib/ubuntu-advantage/apt-esm/x': '' }
    expect(await kept(['subscription'], files)).toEqual(['var/lib/ubuntu-advantage/apt-esm/x'])
  })
})
