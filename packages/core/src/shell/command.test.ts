import { treeOf } from '@c2m/testkit'
import { describe, expect, it } from 'vitest'
import { commandOf, directoryOf, environmentOf } from './command.js'

const config = { env: ['A=image', 'B=', 'C'], entrypoint: [], cmd: ['bash', '-l'], exposedPorts: [], labels: {} }
const tree = await treeOf({ 'bin/sh': 'x', 'srv/file': 'x' })

describe('commandOf', () => {
  it('takes the given one without the entrypoint', async () => {
    expect(await commandOf(['ls'], { ...config, entrypoint: ['/entry'] }, tree)).toEqual(['ls'])
  })
  it("takes the image's own when that is a shell, else /bin/sh", async () => {
    expect(await commandOf([], config, tree)).toEqual(['bash', '-l'])
    expect(await commandOf([], { ...config, cmd: ['nginx'] }, tree)).toEqual(['/bin/sh'])
    expect(await commandOf([], { ...config, entrypoint: ['/entry'] }, tree)).toEqual(['/bin/sh'])
  })
  it('says that there is no shell', async () => {
    const none = commandOf([], { ...config, cmd: [] }, await treeOf({}))
    await expect(none).rejects.toMatchObject({ code: 'C2M_SHELL_NONE', exitCode: 2 })
  })
})

it('puts the given variables over those of the image, and these over defaults', () => {
  const environment = environmentOf(config, { A: 'given' }, { home: '/root' })
  expect(environment).toMatchObject({ A: 'given', B: '', C: '', HOME: '/root' })
  expect(environment.PATH).toContain('/usr/bin')
})

describe('directoryOf', () => {
  it('is absolute, and may be one to make', async () => {
    expect(await directoryOf('srv', tree)).toBe('/srv')
    expect(await directoryOf('/not/yet', tree)).toBe('/not/yet')
  })
  it.each(['/srv/file', '/a/../..'])('refuses %j', async (path) => {
    await expect(directoryOf(path, tree)).rejects.toMatchObject({ code: 'C2M_SHELL_DIRECTORY' })
  })
})
