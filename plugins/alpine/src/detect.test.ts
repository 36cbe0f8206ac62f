import { describe, expect, it } from 'vitest'
import { parseOsRelease } from '@c2m/linux'
import { alpine, image, osRelease } from './testing/task.js'

const detect = (text: string, tree = image()) => alpine.detect(parseOsRelease(text), tree)

describe('detect', () => {
  it('knows Alpine by its number', async () => {
    expect(await detect(osRelease('3.19.4'))).toMatchObject({ distance: 0, version: [3, 19, 4] })
  })
  it('knows edge, which has no number', async () => {
    const found = await detect(osRelease('3.22.0_alpha20250108'))
    expect(found).toMatchObject({ distance: 0 })
    expect(found?.version).toBeUndefined()
  })
  it('counts ID_LIKE, and finds the Alpine below a derivative', async () => {
    const other = 'ID=wolf\nID_LIKE="foo alpine"\nVERSION_ID=20250101\n'
    expect(await detect(other, image({ 'etc/alpine-release': '3.18.2\n' }))).toMatchObject({
      distance: 2,
      version: [3, 18, 2],
    })
    expect(await detect(other)).toMatchObject({ version: undefined })
  })
  it("finds apk-tools 3's database", async () => {
    const tree = image({ lib: '-> usr/lib', 'usr/lib/apk/db/installed': '' })
    expect(await detect(osRelease('3.23.0'), tree)).toBeDefined()
  })
  it('leaves others alone', async () => {
    expect(await detect('ID=debian\n')).toBeUndefined()
    expect(await detect('ID=postmarketos\nID_LIKE=alpine\n')).toBeUndefined()
  })
  it("wants apk's database", async () => {
    const tree = image()
    await tree.remove('lib/apk/db/installed')
    expect(await detect(osRelease('3.19.4'), tree)).toBeUndefined()
  })
  it('says when a release is too old', async () => {
    await expect(detect(osRelease('3.8.5'))).rejects.toThrow(/too old: Alpine Linux 3.9 is the oldest/)
  })
})
