import { parseFstab } from '@c2m/linux'
import { describe, expect, it } from 'vitest'
import { findMounted, parseCrypttab } from './volume-name.js'
import type { Volume } from './volume.js'

const luks: Volume = { name: 'partition 1', size: 1, filesystem: { type: 'crypto_LUKS', uuid: 'AA-1' } }
const inside: Volume = { name: 'partition 1, decrypted', size: 1, filesystem: { type: 'ext4' }, container: luks }
const shared = { type: 'btrfs', uuid: 'b0' }
const top: Volume = { name: 'partition 2', size: 1, filesystem: shared, subvolume: '' }
const home: Volume = { name: 'partition 2, subvolume @home', size: 1, filesystem: shared, subvolume: '@home' }
const volumes = [luks, inside, top, home]

function mounted(line: string, crypttab = ''): Volume | undefined {
  const [entry] = parseFstab(line)
  return findMounted(volumes, entry!, parseCrypttab(crypttab))
}

describe('findMounted', () => {
  it('knows an encrypted volume by the name that crypttab gives it', () => {
    expect(mounted('/dev/mapper/sda1_crypt / ext4', '# x\nsda1_crypt UUID=aa-1 none luks,discard\n')).toBe(inside)
    expect(mounted('/dev/mapper/other / ext4', 'sda1_crypt UUID=aa-1 none luks\n')).toBeUndefined()
    expect(mounted('/dev/mapper/gone / ext4', 'gone UUID=bb none luks\n')).toBeUndefined()
  })

  it('takes the subvolume that the options name, else the one that is mounted by default', () => {
    expect(mounted('UUID=b0 / btrfs defaults')).toBe(top)
    for (const option of ['subvol=@home', 'rw,subvol=/@home', 'subvol=/@home/,noatime']) {
      expect(mounted(`UUID=b0 /home btrfs ${option}`), option).toBe(home)
    }
    expect(mounted('UUID=b0 /var btrfs subvol=@var')).toBeUndefined()
  })
})
