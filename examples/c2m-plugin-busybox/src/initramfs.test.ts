import { diskPlan, treeOf } from '@c2m/testkit'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { cpio } from './cpio.js'
import { initramfs } from './initramfs.js'
import { loadingOrder, parseModulesDep, planModules } from './modules.js'

const DEP = `kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko
kernel/fs/jbd2/jbd2.ko:
kernel/drivers/block/virtio-blk.ko.xz: kernel/drivers/virtio/virtio.ko
../../etc/passwd.ko:
kernel/bad.ko: ../../etc/shadow.ko
`
const image = { size: 0, async *open() {} }

describe('modules', () => {
  it('are loaded after those that they need, and once', () => {
    const order = loadingOrder(parseModulesDep(DEP), ['virtio_blk', 'ext4', 'jbd2', 'not_there'])
    const names = ['virtio.ko', 'virtio-blk.ko.xz', 'crc16.ko', 'jbd2.ko', 'ext4.ko']
    expect(order.map((path) => path.slice(path.lastIndexOf('/') + 1))).toEqual(names)
  })
  it('lie below their folder', () => {
    const names = [...parseModulesDep(DEP).keys()]
    expect(names).toEqual(['ext4', 'jbd2', 'virtio_blk'])
  })
  it('are refused without what is needed', async () => {
    const plan = async (files: Record<string, string>) =>
      planModules({ release: '6.1', image, modules: await treeOf(files) })
    await expect(plan({})).rejects.toThrow('depmod -b DIR 6.1')
    await expect(plan({ 'modules.dep': '' })).rejects.toThrow('cannot read its root')
    const builtIn = { 'modules.dep': '', 'modules.builtin': 'kernel/fs/ext4/ext4.ko\n' }
    expect(await plan(builtIn)).toEqual({ disk: [], system: [] })
  })
})

describe('an initial RAM disk', () => {
  it('is a cpio archive of the newc format', () => {
    const text = cpio([{ type: 'file', name: 'ab', mode: 0o644, data: Buffer.from('hello') }]).toString('latin1')
    const numbers = ['1', '81a4', '0', '0', '1', '0', '5', '0', '0', '0', '0', '3', '0']
    const header = `070701${numbers.map((number) => number.padStart(8, '0')).join('')}`
    expect(text.slice(0, 124)).toBe(`${header}ab\0\0\0\0hello\0\0\0`.slice(0, 124))
    expect(text.length % 4).toBe(0)
    expect(text).toContain('TRAILER!!!\0')
  })
  it('holds BusyBox, its libraries, and the modules with their folders', async () => {
    const rootfs = await treeOf({ 'bin/busybox': 'ELF', 'lib/libc.so.6': 'C', 'lib/other': 'x', lib64: '-> lib' })
    const modules = await treeOf({ 'kernel/fs/ext4.ko': 'module' })
    const disk = diskPlan('gpt')
    const archive = gunzipSync(await initramfs({ rootfs, disk }, modules, ['kernel/fs/ext4.ko'])).toString('latin1')
    for (const name of [
      'bin/busybox',
      'lib/libc.so.6',
      'lib64',
      'modules/kernel',
      'modules/kernel/fs',
      'modules/kernel/fs/ext4.ko',
    ])
      expect(archive).toContain(`${name}\0`)
    expect(archive).not.toContain('lib/other')
    expect(archive).toContain(`PARTUUID=${disk.partitions.at(-1)?.partuuid}`)
  })
})
