import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { busyboxImage, missingForBusybox } from '../support/busybox.js'
import { PROGRAM } from '../support/cli.js'
import { CACHE, WORK } from '../support/paths.js'
import { EXAMPLE, tutorialBlocks, type Block } from './tutorial.js'

const missing = missingForBusybox() ?? missingKernel()
if (missing !== undefined) console.warn(`skipped: the tutorial needs ${missing}`)

describe.skipIf(missing !== undefined)('the tutorial', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'tutorial-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('followed to the letter makes the example, which boots and is installed', async () => {
    const bin = join(folder, 'bin')
    await mkdir(bin)
    await writeFile(join(bin, 'c2m'), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`)
    await chmod(join(bin, 'c2m'), 0o755)
    // no environment of the npm and the vitest that run the tests
    const own = Object.entries(process.env).filter(([name]) => !/^(?:npm_|VITEST|NODE_ENV$|C2M_)/.test(name))
    const data = { XDG_DATA_HOME: join(folder, 'data'), XDG_CACHE_HOME: join(folder, 'cache'), C2M_CACHE_DIR: CACHE }
    const env = {
      ...Object.fromEntries(own),
      ...data,
      PATH: `${bin}:${process.env.PATH ?? ''}`,
      IMAGE: `oci:${busyboxImage('musl')}`,
    }
    const script = (await tutorialBlocks()).map(command).join('\n')
    const { status, stdout, stderr } = spawnSync('bash', ['-euxo', 'pipefail', '-c', script], {
      cwd: folder,
      env,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    })
    expect(status, `${stdout.slice(-4000)}\n${stderr.slice(-6000)}`).toBe(0)
    expect(stdout).toContain('distro busybox: the BusyBox image, with a kernel that you give')
    expect(stdout).toMatch(/boots with bios in \d+ s/)
    const made = join(folder, 'c2m-plugin-busybox')
    expect(await files(made)).toEqual(await files(EXAMPLE))
  })
})

function command({ language, path, text }: Block): string {
  if (path === undefined) return language === 'sh' ? text : ''
  return `mkdir -p "$(dirname '${path}')"\ncat >'${path}' <<'END OF FILE'\n${text}END OF FILE\n`
}

/** By path, without what is compiled, and without the readme, which a tutorial need not dictate. */
async function files(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const own = paths.filter((path) => !/\/(?:dist|node_modules)\/|\/README\.md$/.test(path)).sort()
  const contents = own.map(async (path) => [path.slice(folder.length + 1), await readFile(path, 'utf8')] as const)
  return Object.fromEntries(await Promise.all(contents))
}

/** The tutorial's commands are Debian's. */
function missingKernel(): string | undefined {
  const { stdout, error } = spawnSync('apt-cache', ['depends', 'linux-image-cloud-amd64'], { encoding: 'utf8' })
  if (error !== undefined || !stdout.includes('Depends: linux-image-')) {
    return 'the package linux-image-cloud-amd64 of Debian, with its lists: apt-get update'
  }
  const lacks = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0
  return lacks('/sbin/depmod') ? 'depmod: apt-get install kmod' : undefined
}
