import { chmod, chown, lchown, mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkOutput, outputFile, type OutputFile } from './output-file.js'
import { isRoot, NOBODY, scratch } from './testing/scratch.js'

function temporaryName(output: OutputFile): string {
  return basename(dirname(output.path))
}

describe('outputFile', () => {
  it('appears under its name only when committed', async () => {
    await using folder = await scratch()
    {
      await using output = await outputFile(folder.at('disk.img'))
      await writeFile(output.path, 'whole')
      expect(await readdir(folder.path)).toEqual([temporaryName(output)])
      expect(basename(output.path)).toBe('disk.img')
      await output.commit()
    }
    expect(await readdir(folder.path)).toEqual(['disk.img'])
    expect(await readFile(folder.at('disk.img'), 'utf8')).toBe('whole')
  })

  it('leaves nothing when it is not committed', async () => {
    await using folder = await scratch()
    {
      await using output = await outputFile(folder.at('disk.img'))
      await writeFile(output.path, 'half')
      await writeFile(`${output.path}.raw`, 'half')
    }
    expect(await readdir(folder.path)).toEqual([])
  })

  it('replaces a file only when told to', async () => {
    await using folder = await scratch()
    await writeFile(folder.at('disk.img'), 'old')
    const refused = { code: 'C2M_OUTPUT_EXISTS', exitCode: 2 }
    await expect(outputFile(folder.at('disk.img'))).rejects.toMatchObject(refused)
    await using output = await outputFile(folder.at('disk.img'), { force: true })
    await writeFile(output.path, 'new')
    expect(await readFile(folder.at('disk.img'), 'utf8')).toBe('old')
    await output.commit()
    expect(await readFile(folder.at('disk.img'), 'utf8')).toBe('new')
  })

  it('does not replace a file that appeared meanwhile', async () => {
    await using folder = await scratch()
    await using output = await outputFile(folder.at('disk.img'))
    await writeFile(output.path, 'ours')
    await writeFile(folder.at('disk.img'), 'theirs')
    await expect(output.commit()).rejects.toMatchObject({ code: 'C2M_OUTPUT_EXISTS' })
    expect(await readFile(folder.at('disk.img'), 'utf8')).toBe('theirs')
  })

  it('refuses folders, devices and places that are not there', async () => {
    await using folder = await scratch()
    await mkdir(folder.at('folder'))
    await symlink('/dev/null', folder.at('link'))
    for (const path of [folder.at('folder'), '/dev/null', folder.at('link')]) {
      await expect(outputFile(path, { force: true })).rejects.toMatchObject({
        code: 'C2M_OUTPUT_NOT_A_FILE',
        exitCode: 2,
      })
    }
    await expect(outputFile(folder.at('no/disk.img'))).rejects.toMatchObject({ code: 'C2M_FILE_ENOENT' })
    await writeFile(folder.at('file'), '')
    await expect(outputFile(folder.at('file/disk.img'))).rejects.toMatchObject({ code: 'C2M_FILE_ENOTDIR' })
  })

  it('is for its owner only, whoever made it and whatever it replaces', async () => {
    await using folder = await scratch()
    for (const force of [false, true]) {
      await using output = await outputFile(folder.at('disk.img'), { force })
      await writeFile(output.path, '', { mode: 0o755 })
      await chmod(output.path, 0o755)
      await output.commit()
      expect((await stat(folder.at('disk.img'))).mode & 0o777).toBe(0o600)
      await chmod(folder.at('disk.img'), 0o644)
    }
  })

  it('replaces under another ending only when told to', async () => {
    await using folder = await scratch()
    await writeFile(folder.at('disk.img.bad'), 'old')
    await expect(checkOutput(folder.at('disk.img.bad'), false)).rejects.toMatchObject({ code: 'C2M_OUTPUT_EXISTS' })
    await checkOutput(folder.at('disk.img.bad'), true)
    for (const [force, text] of [
      [false, 'old'],
      [true, 'new'],
    ] as const) {
      await using output = await outputFile(folder.at('disk.img'), { force })
      await writeFile(output.path, 'new')
      const done = output.commitAs('.bad')
      if (force) await done
      else await expect(done).rejects.toMatchObject({ code: 'C2M_OUTPUT_EXISTS' })
      expect(await readFile(folder.at('disk.img.bad'), 'utf8')).toBe(text)
    }
  })

  it('may be behind a link of this user', async () => {
    await using folder = await scratch()
    await mkdir(folder.at('real'))
    await symlink('real', folder.at('link'))
    await using output = await outputFile(folder.at('link/disk.img'))
    await writeFile(output.path, '')
    await output.commit()
    expect(await readdir(folder.at('real'))).toContain('disk.img')
    await symlink('nowhere', folder.at('dangling'))
    await expect(outputFile(folder.at('dangling/disk.img'))).rejects.toMatchObject({ code: 'C2M_FILE_ENOENT' })
  })

  it('never writes what a link in the place of its folder leads to', async () => {
    await using folder = await scratch()
    await chmod(folder.path, 0o777)
    await mkdir(folder.at('victim'))
    await using output = await outputFile(folder.at('disk.img'))
    const [made = ''] = (await readdir(folder.path)).filter((name) => name.startsWith('.c2m-output.'))
    await rename(folder.at(made), folder.at('aside'))
    await symlink('victim', folder.at(made))
    await writeFile(folder.at('victim/disk.img'), 'theirs')
    await writeFile(output.path, 'ours')
    await output.commit()
    expect(await readFile(folder.at('disk.img'), 'utf8')).toBe('ours')
    expect(await readFile(folder.at('victim/disk.img'), 'utf8')).toBe('theirs')
    await rm(folder.at(made))
  })

  it.skipIf(!isRoot)('follows no link that another user put where everybody may', async () => {
    await using folder = await scratch()
    await chmod(folder.path, 0o1777)
    await mkdir(folder.at('real'))
    await symlink('real', folder.at('link'))
    await lchown(folder.at('link'), NOBODY, NOBODY)
    await expect(outputFile(folder.at('link/disk.img'))).rejects.toMatchObject({
      code: 'C2M_OUTPUT_LINK',
      message: `${folder.at('link/disk.img')} cannot be written: ${folder.at('link')} is a link of user ${NOBODY}`,
    })
    expect(await readdir(folder.at('real'))).toEqual([])
    // in his own folder he may
    await chmod(folder.path, 0o755)
    await chown(folder.path, NOBODY, NOBODY)
    await using output = await outputFile(folder.at('link/disk.img'))
    await writeFile(output.path, '')
    await output.commit()
    expect(await readdir(folder.at('real'))).toContain('disk.img')
  })
})
