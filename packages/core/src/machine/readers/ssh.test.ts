import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { CleanupStack, silentReporter } from '@c2m/process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isRoot } from '../../testing/odd-tree.js'
import { openSsh, type SshContext } from './ssh.js'

const PATH = process.env.PATH

describe('a peer that means ill', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-ssh-peer-'))
    await mkdir(join(folder, 'spool'))
  })
  afterEach(async () => {
    process.env.PATH = PATH
    await rm(folder, { recursive: true, force: true })
  })

  /** Reads from what a shell script sends in place of ssh. */
  async function read(script: string, options: Partial<SshContext> = {}): Promise<void> {
    await writeFile(join(folder, 'ssh'), `#!/bin/sh\n${script}\n`)
    await chmod(join(folder, 'ssh'), 0o755)
    process.env.PATH = `${folder}${delimiter}${PATH}`
    const context: SshContext = {
      sudo: false,
      allFilesystems: false,
      menus: [],
      temporaryFolder: join(folder, 'spool'),
      env: process.env,
      signal: new AbortController().signal,
      reporter: silentReporter,
      ...options,
    }
    try {
      await using cleanup = new CleanupStack()
      await openSsh('ssh://peer', context, cleanup)
    } finally {
      expect(await readdir(context.temporaryFolder)).toEqual([])
    }
  }

  it('cannot send more than it may', async () => {
    await expect(read('exec cat /dev/zero', { maxBytes: 20_000_000 })).rejects.toMatchObject({
      code: 'C2M_SSH_TOO_LARGE',
      message: 'peer sends more than 20000000 bytes',
    })
  })

  it.skipIf(!isRoot)('cannot use up the space of a file system', async () => {
    const temporaryFolder = join(folder, 'small')
    await mkdir(temporaryFolder)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', temporaryFolder])
    try {
      await expect(read('exec cat /dev/zero', { temporaryFolder })).rejects.toMatchObject({
        code: 'C2M_CACHE_FULL',
        message: expect.stringMatching(
          new RegExp(`^${temporaryFolder} has only \\d+ bytes free after \\d+ bytes from peer$`),
        ) as string,
      })
    } finally {
      execFileSync('umount', [temporaryFolder])
    }
  })

  it('says what fits into a line, and no more is held', async () => {
    const before = process.memoryUsage.rss()
    const flood = `head -c 200000000 /dev/zero | tr '\\0' A >&2; exit 255`
    const message = `cannot connect to peer: ${'A'.repeat(4096)}`
    await expect(read(flood)).rejects.toMatchObject({ code: 'C2M_SSH_CONNECTION', message })
    expect(process.memoryUsage.rss() - before).toBeLessThan(128 * 1024 * 1024)
  })

  it('keeps a bounded number of lines', async () => {
    await expect(read('seq 300000 >&2; seq 300000 | sed "s/^/c2m-mount /" >&2; exit 255')).rejects.toMatchObject({
      message: 'cannot connect to peer: 998; 999; 1000',
    })
  })
})
