import { cleanRootfs } from '@c2m/rootfs'
import { describe, expect, it } from 'vitest'
import { commonCleaningRules } from '../../../linux/src/cleaning/rules.js'
import { ConfigurationReader } from '../../../linux/src/files/configuration-reader.js'
import { memoryRootfs, type MemoryRootfs } from '../../../linux/src/testing/memory-rootfs.js'
import { rulesThroughLinks } from './links.js'

async function clean(rootfs: MemoryRootfs) {
  const rules = await commonCleaningRules(new ConfigurationReader(rootfs, () => undefined), [])
  return (await cleanRootfs(rootfs, await rulesThroughLinks(rootfs, rules))).rootfs
}

describe('rulesThroughLinks', () => {
  it('finds behind a link what the rules name', async () => {
    const rootfs = memoryRootfs({
      var: '-> data/va{r}',
      'data/va{r}/log/app.log': 'l',
      'data/va{r}/log/app.log.1': 'l',
      'data/va{r}/tmp/x': 't',
      'data/va{r}/lib/dbus/machine-id': 'm',
      'data/va{r}/lib/docker': '-> /big',
      'data/va{r}/log/mysql/mysql-bin.000001': 'b',
      'big/overlay2/x': 'x',
      'big/volumes/v': 'v',
      'data/other.log.1': 'o',
    })
    const cleaned = await clean(rootfs)
    for (const path of ['log/app.log.1', 'tmp/x', 'lib/dbus/machine-id'])
      expect([path, await cleaned.stat(`data/va{r}/${path}`)]).toEqual([path, undefined])
    expect((await cleaned.stat('data/va{r}/log/app.log'))?.size).toBe(0)
    expect((await cleaned.stat('data/va{r}/log/mysql/mysql-bin.000001'))?.size).toBe(1)
    expect(await cleaned.stat('big/overlay2')).toBeUndefined()
    expect((await cleaned.stat('big/volumes/v'))?.size).toBe(1)
    expect((await cleaned.stat('data/other.log.1'))?.size).toBe(1)
  })

  it('follows what is emptied, and not what is removed', async () => {
    const rootfs = memoryRootfs({
      tmp: '-> data/tmp',
      'data/tmp/x': 't',
      'etc/fstab': '-> ../data/fstab',
      'data/fstab': 'f',
    })
    const cleaned = await clean(rootfs)
    expect((await cleaned.stat('data/tmp'))?.type).toBe('directory')
    expect(await cleaned.stat('data/tmp/x')).toBeUndefined()
    expect(await cleaned.stat('etc/fstab')).toBeUndefined()
    expect((await cleaned.stat('data/fstab'))?.size).toBe(1)
  })

  it('does not take a whole machine for what a link leads to', async () => {
    const rootfs = memoryRootfs({ tmp: '-> /', 'var/tmp': '-> ../usr', 'var/crash': '-> loop', 'var/loop': '-> crash' })
    rootfs.add('usr/bin/app', 'x')
    rootfs.add('srv/data', 'd')
    rootfs.add('var/log', '-> /srv')
    const cleaned = await clean(rootfs)
    expect((await cleaned.stat('usr/bin/app'))?.size).toBe(1)
    expect((await cleaned.stat('srv/data'))?.size).toBe(1)
  })
})

describe('rules about files', () => {
  it('leave directories of such names alone', async () => {
    const kept = {
      'root/core/main.c': 'c',
      'core/app': 'a',
      'swapfile/x': 'x',
      'root/.history/2024': 'h',
      'var/log/myapp-1.2/keep': '',
      'var/log/app-20260101/keep': '',
    }
    const gone = {
      'root/core.12': 'c',
      'home/ann/.history': 'h',
      'home/ann/.bash_sessions/1': 's',
      'var/log/myapp-1.2/a.log.1': 'l',
      'swap.img': 's',
    }
    const cleaned = await clean(memoryRootfs({ ...kept, ...gone }))
    for (const path of Object.keys(kept)) expect([path, (await cleaned.stat(path))?.type]).toEqual([path, 'file'])
    for (const path of Object.keys(gone)) expect([path, await cleaned.stat(path)]).toEqual([path, undefined])
    expect(await (await clean(memoryRootfs({ core: 'c' }))).stat('core')).toBeUndefined()
  })
})
