import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { MountList } from './mount-list.js'

describe('MountList', () => {
  it('finds what holds files below a folder', () => {
    const list = new MountList()
    const taken = [
      '/dev/sda1 / ext4 rw 0 0',
      'proc /proc proc rw 0 0',
      'tmpfs /tmp tmpfs rw 0 0',
      '/dev/sda2 /boot ext4 rw 0 0',
      '/dev/sdb1 /srv/two\\040words xfs rw 0 0',
      'server:/x /home nfs4 rw 0 0',
      'gvfsd-fuse /run/user/1/gvfs fuse.gvfsd-fuse rw 0 0',
      '/dev/sdc1 /media/usb vfat rw 0 0',
      '/dev/loop1 /snap/core/1 squashfs ro 0 0',
    ].map((line) => list.take(`c2m-mount ${line}`))
    expect(taken.every(Boolean)).toBe(true)
    expect(list.take('tar: ./x: Cannot stat: No such file or directory')).toBe(false)
    expect(list.below('/')).toEqual(['/boot', '/srv/two words', '/home'])
    expect(list.below('/srv')).toEqual(['/srv/two words'])
  })

  it('is what a shell prints', () => {
    const list = new MountList()
    const printed = execFileSync('sh', ['-c', `exec 2>&1; ${MountList.script}; true`], { encoding: 'utf8' })
    expect(printed.trimEnd().split('\n').every(list.take)).toBe(true)
  })
})
