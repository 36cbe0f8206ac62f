import { describe, expect, it } from 'vitest'
import { memoryRootfs } from '../../../linux/src/testing/memory-rootfs.js'
import { provide } from './process.js'

describe('provide', () => {
  const mode = async (rootfs: ReturnType<typeof memoryRootfs>, path: string) => (await rootfs.stat(path))?.mode

  it('makes what is missing', async () => {
    const rootfs = memoryRootfs({ 'var/lib/gone': '-> private/gone' })
    await provide(rootfs, { path: '/run/app', mode: 0o750, uid: 5, gid: 6 })
    expect(await rootfs.stat('run/app')).toMatchObject({ type: 'directory', mode: 0o750, uid: 5, gid: 6 })
    await provide(rootfs, { path: '/var/lib/gone', mode: 0o750, uid: 5, gid: 6 })
    expect((await rootfs.stat('var/lib/gone'))?.type).toBe('symlink')
  })

  it('opens the way to what is there, behind a link too, and nothing else', async () => {
    const rootfs = memoryRootfs({ 'var/lib/app': '-> private/app', 'var/lib/private/app/data': 'd' })
    await rootfs.put({ path: 'var/lib/private', type: 'directory', mode: 0o700 })
    await rootfs.put({ path: 'var/lib/private/app', type: 'directory', mode: 0o700, uid: 5, gid: 6 })
    await rootfs.put({ path: 'var/lib/other', type: 'directory', mode: 0o700 })
    await rootfs.put({ path: 'var/lib/other/x', type: 'directory', mode: 0o700 })
    await provide(rootfs, { path: '/var/lib/other/x', mode: 0o755, uid: 5, gid: 6 })
    await provide(rootfs, { path: '/var/lib/app', mode: 0o755, uid: 5, gid: 6 })
    expect(await mode(rootfs, 'var/lib/private')).toBe(0o755)
    expect(await mode(rootfs, 'var/lib/private/app')).toBe(0o700)
    expect(await mode(rootfs, 'var/lib/other')).toBe(0o700)
    expect(rootfs.show('var/lib/private/app/data')).toBe('d')
  })
})
