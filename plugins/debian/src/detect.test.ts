import { describe, expect, it } from 'vitest'
import { parseOsRelease } from '@c2m/linux'
import { debian, image, osRelease } from './testing/task.js'

const detect = (text: string, tree = image()) => debian.detect(parseOsRelease(text), tree)

describe('detect', () => {
  it('knows Debian by its number', async () => {
    expect(await detect(osRelease('12'))).toMatchObject({ distance: 0, version: [12] })
  })
  it('knows testing, which has no number, and one that has been released since', async () => {
    expect(await detect(osRelease(undefined, 'VERSION_CODENAME=forky\n'))).toMatchObject({
      distance: 0,
      version: undefined,
    })
    expect(await detect(osRelease(undefined, 'VERSION_CODENAME=trixie\n'))).toMatchObject({ version: [13] })
  })
  it('counts ID_LIKE, and finds the Debian below a derivative', async () => {
    const raspbian = 'ID=raspbian\nID_LIKE=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
    expect(await detect(raspbian)).toMatchObject({ distance: 1, version: [12] })
    const other = 'ID=other\nID_LIKE="foo debian"\nVERSION_ID="2024.1"\n'
    expect(await detect(other, image({ 'etc/debian_version': '11.9\n' }))).toMatchObject({ distance: 2, version: [11] })
    expect(await detect(other, image({ 'etc/debian_version': 'trixie/sid\n' }))).toMatchObject({ version: [13] })
    expect(await detect(other)).toMatchObject({ version: undefined })
  })
  it('leaves others alone', async () => {
    expect(await detect('ID=alpine\n')).toBeUndefined()
    expect(await detect('ID=devuan\nID_LIKE=debian\nVERSION_ID="5"\n')).toBeUndefined()
  })
  it('wants dpkg', async () => {
    const tree = image()
    await tree.remove('var/lib/dpkg/status')
    expect(await detect(osRelease('12'), tree)).toBeUndefined()
  })
  it('says when a release is too old', async () => {
    await expect(detect(osRelease('8'))).rejects.toThrow(/too old: Debian 9 is the oldest/)
  })
})
