import { describe, expect, it } from 'vitest'
import { parseOsRelease } from '@c2m/linux'
import type { DistroPlugin } from '@c2m/plugin-api'
import { plugin as debianPlugin } from '@c2m/plugin-debian'
import { image, osRelease, ubuntu } from './testing/task.js'

const debian = debianPlugin.contributes[0] as DistroPlugin
const detect = (text: string, distro = ubuntu) =>
  distro.detect(parseOsRelease(text), image({ 'etc/debian_version': 'bookworm/sid\n' }))

const MINT = 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n'
const POP = 'ID=pop\nID_LIKE="ubuntu debian"\nVERSION_ID="22.04"\nVERSION_CODENAME=jammy\nUBUNTU_CODENAME=jammy\n'

describe('detect', () => {
  it('knows Ubuntu by its number, and is nearer to it than the plugin that it is built on', async () => {
    expect(await detect(osRelease('24.04'))).toMatchObject({ distance: 0, version: [24, 4] })
    expect(await detect(osRelease('24.04'), debian)).toMatchObject({ distance: 1 })
  })
  it.each([
    ['Mint', MINT, [24, 4]],
    ['Pop!_OS', POP, [22, 4]],
  ])('knows what %s is built on', async (_name, text, version) => {
    expect(await detect(text)).toMatchObject({ distance: 1, version })
    expect(await detect(text, debian)).toMatchObject({ distance: 2 })
  })
  it('takes a derivative that does not say its release for the newest', async () => {
    expect(await detect('ID=other\nID_LIKE=ubuntu\nVERSION_ID="7"\n')).toMatchObject({ version: undefined })
  })
  it('leaves others alone', async () => {
    expect(await detect('ID=debian\nVERSION_ID="12"\n')).toBeUndefined()
    expect(await detect('ID=alpine\n')).toBeUndefined()
  })
  it('says when a release is too old', async () => {
    await expect(detect(osRelease('14.04'))).rejects.toThrow(/too old: Ubuntu 16\.04 is the oldest/)
  })
})
