import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { mkdir, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planDisk, writePartitionTable } from '@c2m/disk'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'

/** What a user names may be a file, a disk or an image; none of it is told to others, none of it takes long to tell. */
describe('what a command is given', () => {
  let folder = ''
  let server: Server
  let host = ''
  /** Paths that a daemon, which is asked before any registry, or a registry was asked for. */
  let asked: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-targets-'))
    server = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(request.url === '/_ping' || request.url === '/v2/' ? 200 : 404).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    await writeFile(join(folder, 'blank.img'), '')
    await truncate(join(folder, 'blank.img'), 50 * 1024 ** 3)
    await writeFile(join(folder, 'disk0'), 'neither a disk nor an archive'.repeat(100))
    await mkdir(join(folder, 'sources/src'), { recursive: true })
  })
  afterAll(async () => {
    server.close()
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(() => (asked = []))

  const run = async (...args: string[]) => {
    const env = { DOCKER_HOST: `tcp://${host}`, C2M_CACHE_DIR: join(folder, 'cache'), HOME: folder }
    const started = performance.now()
    const { code, stdout } = await c2m([...args, '--json'], { cwd: folder, env })
    return {
      code,
      result: JSON.parse(stdout) as Record<string, unknown>,
      seconds: (performance.now() - started) / 1000,
    }
  }

  describe.each(['inspect', 'container2vm', 'shell', 'vm2container', 'boot'])('%s', (command) => {
    it.each(['h7.qcow2', 'server.tar.gz', './h7', 'disk.img', '~/x', 'team/old.vmdk'])('%s', async (target) => {
      const { code, result } = await run(command, target)
      const message = expect.stringMatching(/^cannot read (the disk )?\S+: no such file or directory$/) as string
      expect([code, result]).toMatchObject([1, { error: { code: 'C2M_FILE_ENOENT', message } }])
      expect(asked).toEqual([])
    })
  })

  it.each(['inspect', 'container2vm', 'shell'])('%s says how an image of that name is written', async (command) => {
    const hint = expect.stringContaining('docker://h7.qcow2') as string
    expect((await run(command, 'h7.qcow2')).result).toMatchObject({ error: { hint } })
    expect((await run(command, './h7.qcow2')).result).toMatchObject({
      error: { hint: 'check the spelling of the path' },
    })
  })

  it.each(['inspect', 'container2vm', 'shell'])('%s takes what is there for a file', async (command) => {
    expect((await run(command, 'disk0')).result).toMatchObject({ error: { code: 'C2M_IMAGE_ARCHIVE' } })
    const { code, result } = await run(command, 'sources')
    expect([code, result]).toMatchObject([2, { error: { code: 'C2M_IMAGE_REFERENCE' } }])
    expect(asked).toEqual([])
  })

  it('asks a registry that is named, whatever the image is called', async () => {
    const { result } = await run('inspect', `docker://${host}/x.img`)
    expect(result).toMatchObject({ error: { code: 'C2M_IMAGE_NOT_FOUND' } })
    expect(asked).toEqual(['/v2/', '/v2/x.img/manifests/latest'])
  })

  describe('a blank disk of 50 GiB', () => {
    it('is shown by inspect', async () => {
      const { code, result, seconds } = await run('inspect', 'blank.img')
      expect(code).toBe(0)
      expect(result).toMatchObject({
        kind: 'disk',
        size: 50 * 1024 ** 3,
        volumes: [{ name: 'the whole disk', blank: true }],
        notReadable: expect.stringContaining('the disk is blank: it begins and ends with zeros') as string,
      })
      expect(seconds).toBeLessThan(20)
    })

    it.each([
      ['vm2container', 'C2M_ROOT_NOT_FOUND'],
      ['container2vm', 'C2M_IMAGE_ARCHIVE'],
      ['shell', 'C2M_IMAGE_ARCHIVE'],
    ])('is refused by %s', async (command, error) => {
      const { code, result, seconds } = await run(command, 'blank.img')
      expect([code, result]).toMatchObject([1, { error: { code: error } }])
      expect(seconds).toBeLessThan(20)
    })

    it('is read by the copy of its table when only the beginning was lost', async () => {
      const path = join(folder, 'lost.img')
      await writeFile(path, '')
      await truncate(path, 64 * 1024 ** 2)
      const requests = [{ role: 'root' as const, size: 0, mountpoint: '/' }]
      const random = (_: string, length: number) => new Uint8Array(length).fill(7)
      const plan = planDisk({ table: 'gpt', architecture: 'amd64', requests, random })
      await using file = await open(path, 'r+')
      const write = async (offset: number, data: Uint8Array) => void (await file.write(data, 0, undefined, offset))
      await writePartitionTable({ size: 64 * 1024 ** 2, write }, plan)
      await write(0, Buffer.alloc(1024 ** 2))
      expect(await run('inspect', path)).toMatchObject({
        code: 0,
        result: { kind: 'disk', table: { table: 'gpt' }, volumes: [{ name: 'partition 1', blank: true }] },
      })
    })
  })
})
