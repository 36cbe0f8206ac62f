import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CleanupStack } from '@c2m/process'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bzImageVersion, openGivenKernel } from './given-kernel.js'

/** The header's fields that are read, and the text where they say that it is. */
function bzImage(version: string, at = 0x1000): Buffer {
  const image = Buffer.alloc(0x8000)
  image[0x1f1] = 27
  image.write('HdrS', 0x202)
  image.writeUInt16LE(0x20f, 0x206)
  image.writeUInt16LE(at, 0x20e)
  image.write(`${version}\0`, at + 0x200)
  return image
}

describe('a kernel that the user gives', () => {
  let folder = ''
  const cleanup = new CleanupStack()
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-kernel-'))
    await mkdir(join(folder, 'boot'))
  })
  afterEach(async () => {
    await cleanup[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  const given = async (name: string, bytes: Uint8Array, architecture = 'amd64') => {
    await writeFile(join(folder, 'boot', name), bytes)
    return openGivenKernel(join(folder, 'boot', name), architecture, cleanup)
  }

  it('says its release, and is read as it is', async () => {
    const bytes = bzImage('6.1.0-31-amd64 (builder@host) #1 SMP')
    const { release, image, modules } = await given('linux', bytes)
    expect(release).toBe('6.1.0-31-amd64')
    expect(modules).toBeUndefined()
    const parts: Uint8Array[] = []
    for await (const { data } of image.open()) parts.push(data)
    expect(Buffer.concat(parts)).toEqual(bytes)
    expect(image.size).toBe(bytes.length)
  })
  it.each(['lib', 'usr/lib'])('has the modules of its release in %s/modules', async (library) => {
    for (const release of ['6.1.0', '6.2.0']) {
      await mkdir(join(folder, library, 'modules', release), { recursive: true })
      await writeFile(join(folder, library, 'modules', release, 'modules.dep'), release)
    }
    const path = process.env.PATH
    // no program is needed for them
    process.env.PATH = ''
    const { modules } = await given('vmlinuz', bzImage('6.1.0 x')).finally(() => (process.env.PATH = path))
    expect(await modules?.list('')).toEqual(['modules.dep'])
    expect(await modules?.stat('modules.dep')).toMatchObject({ size: 5 })
  })
  it('tells by its name what another kind of image does not', async () => {
    expect((await given('vmlinuz-6.1.0-arm64', Buffer.from('MZ'), 'arm64')).release).toBe('6.1.0-arm64')
  })
  it.each([
    ['linux', Buffer.from('text'), 'amd64'],
    ['vmlinuz-', Buffer.from('text'), 'amd64'],
    ['vmlinuz-a b', Buffer.from('text'), 'amd64'],
    ['vmlinuz-1', Buffer.alloc(0), 'amd64'],
    ['linux', bzImage('../../etc'), 'amd64'],
    ['linux', bzImage('6.1.0'), 'arm64'],
  ])('%s is refused when it cannot be used', async (name, bytes, architecture) => {
    await expect(given(name, bytes, architecture)).rejects.toMatchObject({ code: 'C2M_KERNEL_IMAGE', exitCode: 2 })
  })
  it('that is not there, or a folder, is said', async () => {
    await expect(openGivenKernel(join(folder, 'none'), 'amd64', cleanup)).rejects.toMatchObject({
      code: 'C2M_FILE_ENOENT',
    })
    await expect(openGivenKernel(folder, 'amd64', cleanup)).rejects.toMatchObject({ code: 'C2M_KERNEL_IMAGE' })
  })
  it('may be anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(0xffff), fc.nat(0x8000), (bytes, at, length) => {
        const image = bzImage('6.1.0', 0x1000)
        image.writeUInt16LE(at, 0x20e)
        image.set(bytes, 0x1f1)
        bzImageVersion(image.subarray(0, length))
      }),
    )
  })
})
