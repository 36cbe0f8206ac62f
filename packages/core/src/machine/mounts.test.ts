import { C2mError } from '@c2m/process'
import { listTree, treeOf, type TreeFiles } from '@c2m/testkit'
import { describe, expect, it } from 'vitest'
import { joinMounts } from './mounts.js'
import type { Volume } from './volume.js'

function volume(label: string, files: TreeFiles = {}): Volume {
  return { name: `partition ${label}`, size: 1, filesystem: { type: 'ext4', label }, open: () => treeOf(files) }
}

async function join(files: TreeFiles, volumes: readonly Volume[]) {
  const warnings: string[] = []
  const root = volume('root')
  const all = [root, ...volumes]
  const joined = await joinMounts(await treeOf(files), root, all, new Map(), (text) => warnings.push(text))
  const names = (await listTree(joined.rootfs as never)).map((line) => line.split(' ').slice(0, 2).join(' '))
  return { names, mounts: joined.mounts.map(({ path, volume: from }) => [path, from.name]), warnings }
}

describe('joinMounts', () => {
  it('mounts one in the other, whatever their order, and makes directories that are missing', async () => {
    const fstab = 'LABEL=b /srv/a/deep/b ext4\nLABEL=a //srv/./a/ ext4\n'
    const { names, mounts } = await join({ 'etc/fstab': fstab }, [
      volume('a', { 'in-a': '' }),
      volume('b', { 'in-b': '' }),
    ])
    expect(names).toContain('file srv/a/in-a')
    expect(names).toContain('file srv/a/deep/b/in-b')
    expect(mounts).toEqual([
      ['/srv/a', 'partition a'],
      ['/srv/a/deep/b', 'partition b'],
    ])
  })

  it('follows links on the way and at the end, also into what was mounted before', async () => {
    const files = {
      'etc/fstab': 'LABEL=data /data ext4\nLABEL=up /var/www/uploads ext4\nLABEL=home /home ext4\n',
      'var/www': '-> /data/www',
      home: '-> real/home',
      'real/home/old': '',
      'data/hidden': '',
    }
    const { names, mounts, warnings } = await join(files, [
      volume('data', { 'www/uploads/hidden': '' }),
      volume('up', { alice: '' }),
      volume('home', { bob: '' }),
    ])
    expect(names).toContain('symlink home')
    expect(names).toContain('symlink var/www')
    expect(names.filter((name) => /data|real/.test(name))).toEqual([
      ...['directory data', 'directory data/www', 'directory data/www/uploads', 'file data/www/uploads/alice'],
      ...['directory real', 'directory real/home', 'file real/home/bob'],
    ])
    expect(mounts.map(([path]) => path)).toEqual(['/data', '/real/home', '/data/www/uploads'])
    expect(warnings).toEqual([])
  })

  it('replaces nothing that is no directory', async () => {
    const fstab = 'LABEL=a /file ext4\nLABEL=a /dangling ext4\nLABEL=a /file/below ext4\nLABEL=a /up/../.. ext4\n'
    const files = { 'etc/fstab': fstab, file: 'x', dangling: '-> nowhere', 'up/x': '' }
    const { names, mounts, warnings } = await join(files, [volume('a', { lost: '' })])
    expect(mounts).toEqual([])
    expect(names).toContain('file file')
    expect(names).toContain('symlink dangling')
    expect(warnings).toHaveLength(4)
  })

  it('joins a volume once that fstab mounts in many places, and makes many mount points in a tree', async () => {
    const lines = Array.from(
      { length: 300 },
      (_, index) => `LABEL=a /new/m${index} ext4\nLABEL=v${index} /v/${index} ext4`,
    )
    const many = Array.from({ length: 300 }, (_, index) => volume(`v${index}`, { [`x${index}`]: '' }))
    const { names, mounts, warnings } = await join({ 'etc/fstab': lines.join('\n') }, [volume('a', { x: '' }), ...many])
    expect(names.filter((name) => name.startsWith('file new/'))).toEqual(['file new/m0/x'])
    expect(mounts).toHaveLength(301)
    expect(names).toContain('file v/299/x299')
    expect(warnings).toHaveLength(299)
    expect(warnings[0]).toContain('is at /new/m0 already')
  })

  it('says of every volume of the disk why it is missing', async () => {
    const fstab = [
      '/data/www /var/www none bind',
      '/proc /srv/jail/proc none bind',
      'LABEL=exch /srv/exchange vfat',
      'LABEL=exch /boot/efi vfat',
      'LABEL=late /opt/late ext4 noauto',
      'LABEL=auto /opt/auto ext4 noauto,x-systemd.automount',
      '/dev/sr0 /cdrom iso9660 noauto',
      'LABEL=gone /gone ext4',
      'LABEL=bad /bad ext4 nofail',
      'tmpfs /tmp tmpfs',
    ].join('\n')
    const fat: Volume = { name: 'partition 3', size: 1, filesystem: { type: 'vfat', label: 'exch' } }
    const bad: Volume = {
      ...volume('bad'),
      open: () => Promise.reject(new C2mError('C2M_EXT4_DAMAGED', '"/" (inode 2) is damaged')),
    }
    const volumes = [fat, volume('late'), volume('auto', { x: '' }), bad]
    const { names, warnings } = await join({ 'etc/fstab': fstab }, volumes)
    expect(names).toContain('file opt/auto/x')
    expect(warnings.map((line) => line.split(':')[0])).toEqual([
      ...['/bad is missing', '/gone is missing', '/var/www is missing', '/opt/late is missing'],
      '/srv/exchange is missing',
    ])
  })

  it('stops when it is interrupted', async () => {
    const open = () => Promise.reject(new C2mError('C2M_INTERRUPTED', 'interrupted'))
    const joining = join({ 'etc/fstab': 'LABEL=a /a ext4\n' }, [{ ...volume('a'), open }])
    await expect(joining).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
  })
})
