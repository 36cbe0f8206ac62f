import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from './load.js'

describe('the configuration', () => {
  const before = process.cwd()
  let folder = ''
  let file = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-config-'))
    file = join(folder, 'c2m.config.yaml')
    await mkdir(join(folder, 'below'))
    process.chdir(join(folder, 'below'))
  })
  afterEach(async () => {
    process.chdir(before)
    await rm(folder, { recursive: true })
  })

  it('is found above, and its paths start where it lies, or at home', async () => {
    const keys = 'container2vm: { ssh-key: [id.pub, ~/.ssh/id.pub, /k.pub], kernel: ./bzImage }'
    await writeFile(file, `${keys}\nvm2container: { allow-backing: [../base] }\n`)
    const { values } = await loadConfig()
    expect(values.container2vm).toEqual({
      'ssh-key': [join(folder, 'id.pub'), join(homedir(), '.ssh/id.pub'), '/k.pub'],
      kernel: join(folder, 'bzImage'),
    })
    expect(values.vm2container).toEqual({ 'allow-backing': [join(folder, '..', 'base')] })
    await writeFile(file, 'container2vm: { kernel: cloud }\n')
    expect((await loadConfig()).values.container2vm).toEqual({ kernel: 'cloud' })
  })

  it('brings plugins only when nobody else can write it, or it is named', async () => {
    await writeFile(file, 'plugins: [./plugin]\n')
    expect((await loadConfig()).values.plugins).toEqual(['./plugin'])
    await chmod(file, 0o666)
    await expect(loadConfig()).rejects.toMatchObject({ code: 'C2M_CONFIG', exitCode: 2 })
    expect((await loadConfig(file)).values.plugins).toEqual(['./plugin'])
    await writeFile(file, 'container2vm: { size: 4G }\n')
    expect((await loadConfig()).values.container2vm).toEqual({ size: '4G' })
  })
})
