import { readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startDialogue } from './dialogue.js'
import { CUT_MARK, LINE_LIMIT } from './lines.js'
import { run } from './run.js'
import { runToFile } from './run-to-file.js'
import { makeTemporaryFolder } from './temporary.js'

const CUT = 'A'.repeat(LINE_LIMIT) + CUT_MARK
/** Writes 200 MB without an end of line to a descriptor, and then a line. */
const flood = (descriptor: 1 | 2) =>
  `head -c 200000000 /dev/zero | tr '\\0' A >&${descriptor}; printf '\\nnext\\rlast\\n' >&${descriptor}`

async function grown(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss()
  await work()
  return process.memoryUsage.rss() - before
}

describe('a line without end, which another program prints,', () => {
  it('is cut for who listens to run, in bounded memory', async () => {
    const lines: string[] = []
    const more = await grown(async () => {
      const onLine = (line: string) => lines.push(line)
      expect(await run('sh', ['-c', flood(1)], { onLine })).toMatchObject({ exitCode: 0, stdout: '' })
    })
    expect(lines).toEqual([CUT, 'next', 'last'])
    expect(more).toBeLessThan(128 * 1024 * 1024)
  })

  it('is cut in the error of a program that fails', async () => {
    const failed = run('sh', ['-c', `${flood(2)}; exit 3`], { onLine: () => undefined })
    await expect(failed).rejects.toMatchObject({
      code: 'C2M_COMMAND_FAILED',
      message: expect.stringMatching(
        /failed with exit code 3; it said:\n(?: {2}A{1,2000}\n)? {2}next\n {2}last$/,
      ) as string,
    })
  })

  it('is cut for who listens while a file is written', async () => {
    await using folder = await makeTemporaryFolder(tmpdir(), 'c2m-run-test')
    const path = join(folder.path, 'out')
    const lines: string[] = []
    const more = await grown(async () => {
      await runToFile('sh', ['-c', `printf content; ${flood(2)}`], path, { onLine: (line) => lines.push(line) })
    })
    expect(await readFile(path, 'utf8')).toBe('content')
    expect(lines).toEqual([CUT, 'next', 'last'])
    expect(more).toBeLessThan(128 * 1024 * 1024)
  })

  it('is cut in a dialogue', async () => {
    await using dialogue = await startDialogue('sh', ['-c', flood(1)])
    expect([await dialogue.hear(), await dialogue.hear(), await dialogue.hear()]).toEqual([CUT, 'next', 'last'])
    await expect(dialogue.hear()).rejects.toThrow('ended with exit code 0')
  })
})

describe('run', () => {
  it('ends a program that prints more than it captures, and says so', async () => {
    await expect(run('yes', [])).rejects.toMatchObject({
      code: 'C2M_COMMAND_FAILED',
      message: expect.stringContaining('yes printed more than 16777216 characters and was ended') as string,
    })
  })

  it('throws what its listener throws, and ends the program', async () => {
    const onLine = () => {
      throw new Error('not understood')
    }
    await expect(run('sh', ['-c', 'echo line; exec sleep 60'], { onLine })).rejects.toThrow('not understood')
    await using folder = await makeTemporaryFolder(tmpdir(), 'c2m-run-test')
    const path = join(folder.path, 'out')
    const filling = runToFile('sh', ['-c', 'echo line >&2; exec sleep 60'], path, { onLine })
    await expect(filling).rejects.toThrow('not understood')
    const full = runToFile('yes', [], join(folder.path, 'full'), {
      onBytes: () => Promise.reject(new Error('enough')),
    })
    await expect(full).rejects.toThrow('enough')
    expect((await stat(join(folder.path, 'full'))).size).toBeLessThan(1024 * 1024)
  })

  it('names a program that cannot be started', async () => {
    await expect(run('c2m-no-such-program', [], { onLine: () => undefined })).rejects.toThrow('could not be started')
  })
})
