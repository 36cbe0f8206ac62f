import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootSector } from './boot-sector.js'
import { hostLoader } from './host-loader.js'
import { layoutOf, patchLoader } from './loader.js'
import { BOOT_SECTOR } from './scratch.js'
import { sectorsOf } from './sectors.js'
import { imageSum, listedSectors } from './testing/loader-image.js'

const lacks = missing()
if (lacks !== undefined) console.warn(`skipped: EXTLINUX's own installer cannot judge: ${lacks}`)

const BLOCK = 4096
const DIRECTORY = '/boot/extlinux'

/** `extlinux --install` on a mounted ext4, and what is written here for the same place of the same file. */
describe.skipIf(lacks !== undefined)("EXTLINUX's own installer writes the same", () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-extlinux-judge-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each([
    ['in one piece', 1, false],
    ['in many pieces', 8, true],
  ])('for a loader that lies %s', async (name, leastPieces, fragmented) => {
    const disk = join(folder, `${name.replaceAll(' ', '-')}.img`)
    await installForReal(disk, fragmented)
    const blocks = blocksOf(disk, `${DIRECTORY}/ldlinux.sys`)
    const pieces = blocks.filter((block, index) => block !== (blocks[index - 1] ?? -1) + 1).length
    expect(pieces).toBeGreaterThanOrEqual(leastPieces)
    const real = join(folder, 'ldlinux.sys')
    debugfs(disk, `dump ${DIRECTORY}/ldlinux.sys ${real}`)
    const judged = await readFile(real)
    const judgedBoot = (await readFile(disk)).subarray(0, 512)

    const made = await hostLoader(AbortSignal.timeout(60_000))
    if (!('files' in made)) throw new Error(made.missing)
    const original = made.files.get('ldlinux.sys')!
    const extents = blocks.map((block, index) => ({ at: index * BLOCK, offset: block * BLOCK, length: BLOCK }))
    const sectors = sectorsOf('/ldlinux.sys', { extents }, original.length)
    const layout = layoutOf(original)
    const ours = patchLoader(original, sectors, DIRECTORY)

    // their list may cross 64 KiB of memory, ours does not: other entries, hence another checksum, for the same sectors
    const { offset, entries } = layout.list
    expect(listedSectors(ours, offset, entries)).toEqual(listedSectors(judged, offset, entries))
    expect([imageSum(ours), imageSum(judged)]).toEqual([0x3eb202fe, 0x3eb202fe])
    for (const bytes of [ours, judged]) {
      bytes.fill(0, offset, offset + entries * 10)
      bytes.fill(0, layout.patchArea + 16, layout.patchArea + 20)
    }
    expect(Buffer.compare(ours, judged)).toBe(0)

    // what they take from the device: 0x13 and 0x20 its size, 0x18 and 0x1a its geometry, 0x1c its start
    const boot = Buffer.from(bootSector(made.files.get(BOOT_SECTOR)!, layout, sectors[0]!, 2048))
    for (const bytes of [boot, judgedBoot]) bytes.fill(0, 0x13, 0x15).fill(0, 0x18, 0x24)
    expect(boot.equals(judgedBoot)).toBe(true)
  })

  async function installForReal(disk: string, fragmented: boolean): Promise<void> {
    const mounted = `${disk}.mnt`
    execFileSync('truncate', ['-s', '32M', disk])
    execFileSync('mke2fs', [
      '-q',
      '-t',
      'ext4',
      '-b',
      String(BLOCK),
      '-N',
      '16384',
      '-m',
      '0',
      '-O',
      '^has_journal',
      disk,
    ])
    await mkdir(mounted)
    execFileSync('mount', ['-o', 'loop,nodelalloc', disk, mounted])
    try {
      await mkdir(join(mounted, DIRECTORY), { recursive: true })
      if (fragmented) fragment(mounted)
      execFileSync('extlinux', ['--install', join(mounted, DIRECTORY)], { stdio: 'pipe' })
    } finally {
      execFileSync('umount', [mounted])
    }
  }
})

/** Fills the file system with one file, and takes every other one of 100 blocks out of it. */
function fragment(mounted: string): void {
  const device = execFileSync('findmnt', ['-no', 'SOURCE', mounted], { encoding: 'utf8' }).trim()
  // ext4 keeps some blocks back, which would be free in one piece
  writeFileSync(`/sys/fs/ext4/${basename(device)}/reserved_clusters`, '0')
  const name = join(mounted, 'filling')
  const filling = openSync(name, 'w')
  try {
    for (;;) writeSync(filling, Buffer.alloc(BLOCK))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(filling)
  }
  for (let block = 1000; block < 1200; block += 2) {
    execFileSync('fallocate', ['--punch-hole', '-o', String(block * BLOCK), '-l', String(BLOCK), name])
  }
  execFileSync('sync', ['-f', mounted])
}

/** Of the file's content: `blocks` would also list those of its extent tree. */
function blocksOf(disk: string, path: string): number[] {
  const size = Number(/Size: (\d+)/.exec(debugfs(disk, `stat ${path}`))?.[1])
  return Array.from({ length: Math.ceil(size / BLOCK) }, (_, index) => Number(debugfs(disk, `bmap ${path} ${index}`)))
}

function debugfs(disk: string, command: string): string {
  return execFileSync('debugfs', ['-R', command, disk], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'it mounts, which only root can'
  const programs = ['extlinux', 'syslinux', 'mformat', 'mke2fs', 'debugfs']
  const folders = ['/usr/bin', '/usr/sbin', '/sbin', '/bin']
  const absent = programs.filter((program) => !folders.some((folder) => existsSync(`${folder}/${program}`)))
  if (absent.length > 0) return `no ${absent.join(', ')} (apt-get install extlinux syslinux mtools e2fsprogs)`
  return existsSync('/dev/loop-control') ? undefined : 'no loop devices'
}
