import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseAccelerator } from '@c2m/qemu'
import { cacheFolder, CleanupStack, findTool, silentReporter } from '@c2m/process'
import { compareRootfs, openDirectory } from '@c2m/rootfs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contentBytes, isRoot, makeOddTree } from '../../testing/odd-tree.js'
import type { OpenedMachine } from '../reader.js'
import { openGuestfs, type GuestfsContext } from './guestfs.js'

const TOOLS = { guestfish: 'libguestfs-tools', cryptsetup: 'cryptsetup-bin', setfacl: 'acl', setfattr: 'attr' }
const missing: string[] = []
for (const [tool, apt] of Object.entries(TOOLS)) if ((await findTool(tool)) === undefined) missing.push(apt)
if (!readdirSync('/boot').some((name) => name.startsWith('vmlinuz'))) missing.push('linux-image-cloud-amd64')
if (missing.length > 0) console.warn(`skipped: reading by libguestfs (apt-get install ${missing.join(' ')})`)

const PASSPHRASE = 'open, "sesame" $x'
const MIB = 2 ** 20

describe.skipIf(missing.length > 0)('a machine on LVM in an encrypted partition, read by libguestfs', () => {
  let folder = ''
  const at = (name: string) => join(folder, name)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-guestfs-'))
    await mkdir(at('tree'))
    await makeOddTree(at('tree'))
    await writeFile(
      at('tree/etc/fstab'),
      '/dev/mapper/vg-root / xfs defaults 0 1\n/dev/vg/data /data ext4 defaults 0 2\n',
    )
    await mkdir(at('tree/data'))
    await mkdir(at('spool'))
    await writeFile(at('passphrase'), `${PASSPHRASE}\n`)
    await makeDisk()
  }, 600_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** GPT: 1 MiB of something, then LUKS with LVM in it, whose root is XFS and whose /data is ext4. */
  async function makeDisk(): Promise<void> {
    execFileSync('tar', ['-C', at('tree'), '-cf', at('tree.tar'), ...TAR, '.'])
    await writeFile(at('luks'), '')
    execFileSync('truncate', ['-s', '500M', at('luks')])
    const format = ['luksFormat', '-q', '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', at('luks')]
    execFileSync('cryptsetup', format, { input: PASSPHRASE, stdio: ['pipe', 'pipe', 'pipe'] })
    execFileSync('truncate', ['-s', '504M', at('raw')])
    execFileSync('sfdisk', ['-q', at('raw')], { input: 'label: gpt\nsize=1MiB\nsize=500MiB\n' })
    execFileSync('dd', [`if=${at('luks')}`, `of=${at('raw')}`, 'bs=1M', 'seek=2', 'conv=notrunc,sparse', 'status=none'])
    await rm(at('luks'))
    const { accel } = await chooseAccelerator()
    const script = [
      'run',
      'luks-open /dev/sda2 open',
      PASSPHRASE,
      'pvcreate /dev/mapper/open',
      'vgcreate vg /dev/mapper/open',
      'lvcreate root vg 350',
      'lvcreate data vg 64',
      'mkfs xfs /dev/vg/root',
      'mkfs ext4 /dev/vg/data',
      'mount /dev/vg/root /',
      `tar-in ${at('tree.tar')} / xattrs:true acls:true`,
      'mount /dev/vg/data /data',
      'write /data/file "on another volume"',
      'umount-all',
    ]
    execFileSync('guestfish', ['--keys-from-stdin', '--format=raw', '--add', at('raw')], {
      input: `${script.join('\n')}\n`,
      env: {
        ...process.env,
        LIBGUESTFS_BACKEND: 'direct',
        ...(accel === 'tcg' ? { LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' } : {}),
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', at('raw'), at('disk.qcow2')])
  }

  async function read(
    options: Partial<GuestfsContext>,
    look: (machine: OpenedMachine) => Promise<void> = () => Promise.resolve(),
  ): Promise<string[]> {
    const warnings: string[] = []
    const context: GuestfsContext = {
      menus: [],
      cache: cacheFolder(),
      temporaryFolder: at('spool'),
      env: process.env,
      signal: new AbortController().signal,
      reporter: { ...silentReporter, warn: (message) => warnings.push(message) },
      ...options,
    }
    try {
      await using cleanup = new CleanupStack()
      await look(await openGuestfs(at('disk.qcow2'), context, cleanup))
    } finally {
      const left = (await readdir(at('spool'))).filter((name) => name.endsWith('.tar'))
      expect(left).toEqual([])
    }
    return warnings
  }

  it('is the tree that it has, in every attribute, with what its fstab mounts', async () => {
    const before = execFileSync('sha256sum', [at('disk.qcow2')], { encoding: 'utf8' })
    const warnings = await read({ passphraseFile: at('passphrase') }, async ({ rootfs, root, mounts }) => {
      expect(root).toBe('/dev/vg/root')
      expect(mounts).toEqual([{ path: '/data', from: '/dev/vg/data' }])
      expect((await rootfs.stat('data/file'))?.size).toBe(17)
      await using judge = await openDirectory(at('tree'))
      const differences = await compareRootfs(judge, rootfs, {
        // the tar that filled the disk has seconds only where root did not write it; /data is another file system
        ignore: (path) => path === 'data' || path.startsWith('data/'),
      })
      expect(differences).toEqual([])
      expect(await contentBytes(rootfs)).toBeGreaterThan(300_000)
    })
    expect(warnings).toEqual([])
    expect(execFileSync('sha256sum', [at('disk.qcow2')], { encoding: 'utf8' })).toBe(before)
  }, 600_000)

  it('is not opened without its passphrase', async () => {
    await expect(read({})).rejects.toMatchObject({
      code: 'C2M_PASSPHRASE',
      message: 'partition 2 is encrypted',
      hint: expect.stringContaining('--passphrase-file') as string,
    })
  }, 600_000)

  it('leaves nothing when it is interrupted', async () => {
    const abort = new AbortController()
    setTimeout(() => abort.abort(), 4000)
    await expect(read({ signal: abort.signal })).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(at('disk.qcow2'))
  }, 600_000)

  it('is not guessed: the disk is checked first', async () => {
    execFileSync('truncate', ['-s', String(3 * MIB), at('disk.qcow2')])
    await expect(read({})).rejects.toMatchObject({ code: 'C2M_DISK_TRUNCATED' })
  })
})

const TAR = [
  ...['--format=posix', '--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner', '--sparse'],
  ...(isRoot ? [] : ['--owner=0', '--group=0']),
]
