import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createConverter } from '../converter.js'
import { defaultMachine, type ContainerToVmRequest } from '../request/container-to-vm.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-container-to-vm-'))
})
afterAll(() => rm(folder, { recursive: true }))

it('container2vm says before any work that it would replace what a disk that does not boot is kept as', async () => {
  const request: ContainerToVmRequest = {
    image: `tarball:${folder}/none.tar`,
    output: join(folder, 'disk.img'),
    format: 'raw',
    force: false,
    size: 'auto',
    table: 'gpt',
    target: 'vm',
    machine: defaultMachine,
    swapSize: 0,
    bootSize: 0,
    espSize: 0,
    sandbox: 'userns',
    sandboxNetwork: 'private',
    refresh: false,
    verify: true,
  }
  const converter = createConverter({ plugins: [], cache: join(folder, 'cache'), env: {} })
  const kept = `${request.output}.does-not-boot`
  await writeFile(kept, 'a thesis')
  const exists = { code: 'C2M_OUTPUT_EXISTS', message: `${kept} exists already` }
  await expect(converter.container2vm(request)).rejects.toMatchObject(exists)
  const missing = { code: 'C2M_FILE_ENOENT' }
  await expect(converter.container2vm({ ...request, verify: false })).rejects.toMatchObject(missing)
  await expect(converter.container2vm({ ...request, force: true })).rejects.toMatchObject(missing)
  // an input is not replaced, even so
  const itself = { ...request, image: `tarball:${kept}`, force: true }
  await expect(converter.container2vm(itself)).rejects.toMatchObject({ code: 'C2M_OUTPUT_IS_INPUT' })
})
