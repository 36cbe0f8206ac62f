import { link, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporary } from '../testing/layout.js'
import { checkDestination } from './check-destination.js'
import type { WriteImageOptions } from './new-image.js'

describe('checkDestination', () => {
  it.each<[string, Partial<WriteImageOptions>, string]>([
    ['docker-archive:%/new.tar', { compression: 'zstd' }, 'C2M_IMAGE_DESTINATION'],
    ['dockerfile:%/new', { compression: 'zstd' }, 'C2M_IMAGE_DESTINATION'],
    ['docker-daemon:app', { compression: 'zstd' }, 'C2M_IMAGE_DESTINATION'],
    ['oci:%/new', { level: 15 }, 'C2M_IMAGE_NEW'],
    ['docker://localhost:1/app', { compression: 'gzip', level: 15 }, 'C2M_IMAGE_NEW'],
    ['oci-archive:%/new.tar', { compression: 'zstd', level: 20 }, 'C2M_IMAGE_NEW'],
    ['oci:%/new', { tags: ['Big Name'] }, 'C2M_IMAGE_REFERENCE'],
  ])('refuses %s with %j before there is an image', async (form, options, code) => {
    await using folder = await temporary()
    const checked = checkDestination(form.replace('%', folder.path), { cache: folder.path, env: {}, ...options })
    await expect(checked).rejects.toMatchObject({ code, exitCode: 2 })
  })

  it.each(['docker-archive:%/in', 'oci-archive:%/in', 'tarball:%/in', 'tarball:%/linked', 'dockerfile:%'])(
    'never replaces what is read by %s',
    async (form) => {
      await using folder = await temporary()
      const input = join(folder.path, form === 'dockerfile:%' ? 'img.tar' : 'in')
      await writeFile(input, 'disk')
      await link(input, join(folder.path, 'linked'))
      const before = await readdir(folder.path)
      for (const force of [false, true]) {
        const options = { cache: folder.path, env: {}, force }
        const checked = checkDestination(form.replace('%', folder.path), options, async () => ['absent', input])
        await expect(checked).rejects.toMatchObject({ code: 'C2M_OUTPUT_IS_INPUT', exitCode: 2 })
      }
      expect(await readFile(input, 'utf8')).toBe('disk')
      expect(await readdir(folder.path)).toEqual(before)
    },
  )
})
