import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '@c2m/process'
import { debian12Machine } from './debian.js'
import { onlyLayer } from './layout.js'
import { FIXTURES, ROOT } from './paths.js'

/** The official BusyBox images, which are no part of this repository. */
const DATA = join(ROOT, '../shared/images')

/** OCI layouts; of the second one every program is static. */
export const busyboxImage = (library: 'glibc' | 'musl') => join(DATA, `busybox-${library}`)

/** What is missing for the tests with BusyBox's image; undefined when nothing is. */
export function missingForBusybox(): string | undefined {
  return existsSync(busyboxImage('musl')) ? undefined : `the folder ${DATA} with BusyBox's images`
}

/** Debian's kernel for virtual machines, with its modules beside it as its package has them: the path of its image. */
export async function debianKernel(): Promise<string> {
  const folder = join(FIXTURES, 'debian-12-kernel')
  if (!existsSync(folder)) {
    await mkdir(FIXTURES, { recursive: true })
    const partial = await mkdtemp(join(FIXTURES, 'partial-'))
    const layer = await onlyLayer(await debian12Machine())
    await run('tar', ['-xzf', layer, '-C', partial, '--no-same-owner', './boot', './usr/lib/modules'])
    // another test may have made it meanwhile
    await rename(partial, folder).catch(() => rm(partial, { recursive: true }))
  }
  const name = (await readdir(join(folder, 'boot'))).find((one) => one.startsWith('vmlinuz-'))
  return join(folder, 'boot', name ?? '')
}
