import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { outputFile, type OutputFile } from './output-file.js'

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'c2m-process-test-'))
  return {
    path,
    file: (name: string) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

function temporaryName(output: OutputFile): string {
  return basename(dirname(output.path))
}

describe('outputFile', () => {
  it('appears under its name only when committed', async () => {
    await using folder = await temporaryFolder()
    {
      await using output = await outputFile(folder.file('disk.img'))
      await writeFile(output.path, 'whole')
      expect(await readdir(folder.path)).toEqual([temporaryName(output)])
      expect(basename(output.path)).toBe('disk.img')
      await output.commit()
    }
    expect(await readdir(folder.path)).toEqual(['disk.img'])
    expect(await readFile(folder.file('disk.img'), 'utf8')).toBe('whole')
  })

  it('leaves nothing when it is not committed', async () => {
    await using folder = await temporaryFolder()
    {
      await using output = await outputFile(folder.file('disk.img'))
      await writeFile(output.path, 'half')
      await writeFile(`${output.path}.raw`, 'half')
    }
    expect(await readdir(folder.path)).toEqual([])
  })

  it('replaces a file only when told to', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('disk.img'), 'old')
    const refused = { code: 'C2M_OUTPUT_EXISTS', exitCode: 2 }
    await expect(outputFile(folder.file('disk.img'))).rejects.toMatchObject(refused)
    await using output = await outputFile(folder.file('disk.img'), { force: true })
    await writeFile(output.path, 'new')
    expect(await readFile(folder.file('disk.img'), 'utf8')).toBe('old')
    await output.commit()
    expect(await readFile(folder.file('disk.img'), 'utf8')).toBe('new')
  })

  it('does not replace a file that appeared meanwhile', async () => {
    await using folder = await temporaryFolder()
    await using output = await outputFile(folder.file('disk.img'))
    await writeFile(output.path, 'ours')
    await writeFile(folder.file('disk.img'), 'theirs')
    await expect(output.commit()).rejects.toMatchObject({ code: 'C2M_OUTPUT_EXISTS' })
    expect(await readFile(folder.file('disk.img'), 'utf8')).toBe('theirs')
  })

  it('refuses folders, devices and places that are not there', async () => {
    await using folder = await temporaryFolder()
    await mkdir(folder.file('folder'))
    await symlink('/dev/null', folder.file('link'))
    for (const path of [folder.file('folder'), '/dev/null', folder.file('link')]) {
      await expect(outputFile(path, { force: true })).rejects.toMatchObject({
        code: 'C2M_OUTPUT_NOT_A_FILE',
        exitCode: 2,
      })
    }
    await expect(outputFile(folder.file('no/disk.img'))).rejects.toMatchObject({ code: 'C2M_FILE_ENOENT' })
    await writeFile(folder.file('file'), '')
    await expect(outputFile(folder.file('file/disk.img'))).rejects.toMatchObject({ code: 'C2M_FILE_ENOTDIR' })
  })

  it('sweeps what a killed run left, and nothing else', async () => {
    await using folder = await temporaryFolder()
    await using running = await outputFile(folder.file('running.img'))
    // a process that is gone
    const { pid } = spawnSync(process.execPath, ['--version'])
    const dead = temporaryName(running).replace(/\.\d+\.\d+\./, `.${pid}.12345.`)
    const elsewhere = dead.replace(/^(\.c2m-output-).{8}/, '$100000000')
    for (const name of [dead, elsewhere]) {
      await mkdir(folder.file(name))
      await writeFile(join(folder.file(name), 'disk.img.raw'), '')
    }
    await writeFile(folder.file('c2m-output.img'), '')
    await using output = await outputFile(folder.file('disk.img'))
    const kept = [temporaryName(running), temporaryName(output), elsewhere, 'c2m-output.img']
    expect((await readdir(folder.path)).sort()).toEqual(kept.sort())
  })
})
