import { randomUUID } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { CACHE } from '../support/paths.js'

describe('Ctrl-C', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-interrupt-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each(['install', 'configure', 'assemble', 'write qcow2'])('during "%s" leaves nothing behind', async (stage) => {
    const image = `oci:${await debian12()}`
    // other tests install packages at the same time: a variable tells this program, and it those that it started
    const mark = randomUUID()
    let sent = false
    let running: readonly string[] = []
    const flags = stage === 'install' ? ['--refresh'] : []
    const result = await c2m(['container2vm', image, '-o', join(folder, 'disk.qcow2'), '--json', ...flags], {
      env: { C2M_TEST_RUN: mark },
      onStderr: (text, kill) => {
        if (sent || !text.includes(`"event":"stage","title":"${stage}`)) return
        sent = true
        setTimeout(
          () => {
            running = programsOf(mark)
            kill('SIGINT')
          },
          stage === 'install' ? 1500 : 50,
        )
      },
    })
    expect(sent).toBe(true)
    expect(result.code).toBe(130)
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: 'C2M_INTERRUPTED' } })
    expect(await readdir(folder)).toEqual([])
    const mounts = await readFile('/proc/self/mountinfo', 'utf8')
    for (const path of [folder, CACHE]) expect(mounts).not.toContain(path)
    expect(running.length).toBeGreaterThan(stage === 'install' ? 2 : 0)
    const still = processes().map(({ id }) => id)
    expect(running.filter((id) => still.includes(id))).toEqual([])
  })
})

interface Process {
  readonly pid: string
  readonly parent: string
  /** Of this process and no later one with its number. */
  readonly id: string
}

function processes(): readonly Process[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    // proc_pid_stat(5): what follows the name begins with field 3, the state; the parent is the 4th, the start time the 22nd
    const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? []
    const [state, parent = '', started = ''] = [fields[0], fields[1], fields[19]]
    // a dead one waits for its parent to ask
    return state === 'Z' ? [] : [{ pid, parent, id: `${pid} since ${started}` }]
  })
}

/** The program with this mark in its environment, and all below it. */
function programsOf(mark: string): readonly string[] {
  const all = processes()
  const below = (one: Process): readonly Process[] => [
    one,
    ...all.filter(({ parent }) => parent === one.pid).flatMap(below),
  ]
  const top = all.find(({ pid }) => read(`/proc/${pid}/environ`).includes(`C2M_TEST_RUN=${mark}`))
  return top === undefined ? [] : below(top).map(({ id }) => id)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // gone meanwhile, or another user's
  }
}
