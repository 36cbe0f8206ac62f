import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { WORK } from '../support/paths.js'
import { vm2container } from './support/convert.js'
import { compareTars, kernelTar, lines, partitions, wholeDisk } from './support/disk.js'
import { lacks, shell, tool } from './support/tools.js'
import { emptyDisk, mke2fs, unpack } from './support/tree.js'

const MIB = 1024 ** 2
const VERBATIM = ['--keep', 'all', '--devices']
const ROOT_UUID = '0b0e5f0a-1111-4222-8333-444455556666'

const missing = lacks(
  'disks that other tools made',
  { mke2fs: 'e2fsprogs', sfdisk: 'fdisk', setfacl: 'acl', setfattr: 'attr', setcap: 'libcap2-bin', losetup: 'mount' },
  'root',
)

/** What file systems can hold and archives often lose. */
const ODDITIES = `
cd "$1/srv"
printf data > capable; chmod 755 capable; setcap cap_net_raw+ep capable
printf data > listed; setfacl -m u:1234:rw,g:70000:r listed
mkdir shared; setfacl -d -m u:1234:rwx,g::r shared; chmod 3775 shared
printf data > noted; setfattr -n user.note -v 0x00ff41 noted; setfattr -n trusted.own -v secret noted
printf many > first; ln first second; mkdir deep; ln first deep/third
printf x > "$(printf 'latin1-\\351\\377')"
printf x > "$(printf 'new\\nline')"
printf x > 'a b  c'; printf x > '-rf'; printf x > "$(printf '\\303\\244\\360\\237\\220\\247')"
printf x > "$(head -c 255 /dev/zero | tr '\\0' n)"
ln -s "$(head -c 3000 /dev/zero | tr '\\0' s)" long-link; ln -s nowhere dangling
truncate -s 3M sparse; printf end >> sparse; printf start | dd of=sparse conv=notrunc status=none
mkfifo pipe; mknod tty c 4 64; mknod disk b 259 300
printf x > large-ids; chown 3000000000:4000000000 large-ids
printf x > suid; chown 1:2 suid; chmod 6711 suid
touch -d '1969-12-31 23:59:58.25 UTC' before-epoch; touch -d '2040-02-03 04:05:06.123456789 UTC' after-2038
`

describe.skipIf(missing)('disks that other tools made', () => {
  let folder = ''
  let tree = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'foreign-'))
    tree = join(folder, 'tree')
    await unpack(await debian12(), tree)
    await shell(ODDITIES, tree)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('a dump of a partition, by mke2fs, gives what the kernel sees', async () => {
    const dump = join(folder, 'root.dump')
    await emptyDisk(dump, 640 * MIB)
    await mke2fs('ext4', tree, dump, await wholeDisk(dump))
    const judge = join(folder, 'kernel.tar')
    await kernelTar(dump, { '/': await wholeDisk(dump) }, judge)
    const tar = join(folder, 'dump.tar')
    const { result } = await vm2container([dump, '-o', `tarball:${tar}`, ...VERBATIM])
    expect(lines(await compareTars(judge, tar))).toEqual([])
    expect(result.plan.root).toContain('the whole disk (ext4')
    expect(await shell('tar -tf "$1" | grep -c "^\\./srv\\|^srv"', tar)).toMatch(/^2\d\n$/)
    await rm(tar)
  })

  it('a disk partitioned by hand, with an extended partition, is joined as its fstab says', async () => {
    const disk = join(folder, 'by-hand.img')
    await emptyDisk(disk, 900 * MIB)
    const table = [
      'label: dos',
      'start=2048, size=64MiB, type=83, bootable',
      'type=5',
      'size=700MiB, type=83',
      'size=64MiB, type=83',
    ]
    await shell('printf "%s\\n" "$2" | sfdisk -q "$1"', disk, table.join('\n'))
    const parts = await partitions(disk)
    const at = (number: number) => parts.get(number)!

    const own = join(folder, 'by-hand')
    const part = (name: string) => join(own, name)
    await shell('mkdir "$2"; cp -a "$1" "$2/root"; mv "$2/root/home" "$2/home"; mkdir "$2/boot"', tree, own)
    await shell('printf kernel > "$1/boot/vmlinuz-1"; mkdir "$1/boot/grub"; rm -rf "$1"/root/boot/*', own)
    await shell('mkdir -p "$1/home/me"; printf x > "$1/home/me/notes"; ln "$1/home/me/notes" "$1/home/me/too"', own)
    const fstab = [
      `UUID=${ROOT_UUID} / ext4 errors=remount-ro 0 1`,
      'LABEL=start /boot ext2 defaults 0 2',
      '/dev/sda6 /home ext3 defaults 0 2',
      'UUID=deadbeef-0000-4000-8000-000000000000 /srv/lost ext4 defaults 0 2',
      'files.example:/export /mnt/files nfs defaults 0 0',
      'tmpfs /tmp tmpfs defaults 0 0',
      '/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0',
      'proc /proc proc defaults 0 0',
    ]
    await mkdir(part('root/home'))
    await writeFile(part('root/etc/fstab'), `${fstab.join('\n')}\n`)
    await mke2fs('ext2', part('boot'), disk, at(1), '-L', 'start')
    await mke2fs('ext4', part('root'), disk, at(5), '-U', ROOT_UUID)
    await mke2fs('ext3', part('home'), disk, at(6))
    await rm(own, { recursive: true })

    const judge = join(folder, 'by-hand.kernel.tar')
    await kernelTar(disk, { '/': at(5), '/boot': at(1), '/home': at(6) }, judge)
    const tar = join(folder, 'by-hand.tar')
    const { result, warnings } = await vm2container([disk, '-o', `tarball:${tar}`, ...VERBATIM])
    expect(lines(await compareTars(judge, tar))).toEqual([])
    expect(result.plan.root).toBe('partition 5 (ext4)')
    expect(result.plan.mounts).toEqual([
      { path: '/boot', from: 'partition 1 (ext2, label start)' },
      { path: '/home', from: 'partition 6 (ext3)' },
    ])
    const missed = warnings.filter((text) => text.includes('is missing'))
    expect(missed).toHaveLength(2)
    expect(missed.join('\n')).toMatch(/^\/srv\/lost is missing: .*UUID=deadbeef/m)
    expect(missed.join('\n')).toMatch(/^\/mnt\/files is missing: .*on the network/m)
    await rm(tar)
  })

  it('a file system that was not unmounted is read as its journal says, and said so', async () => {
    const live = join(folder, 'live.img')
    const copy = join(folder, 'copy.img')
    await emptyDisk(live, 640 * MIB)
    await mke2fs('ext4', tree, live, await wholeDisk(live))
    // written and synced, so it is in the journal, and copied before it is anywhere else
    const script = [
      'root=$(mktemp -d); trap "umount $root; rmdir $root" EXIT',
      'mount -o loop,commit=300 "$1" $root',
      'for i in $(seq 500); do echo $i > $root/srv/new-$i; done; rm $root/srv/capable',
      'mv $root/srv/listed $root/srv/renamed; setfattr -n user.late -v yes $root/srv/noted',
      'sync -f $root/srv/noted; sync "$1"',
      'cp --sparse=always "$1" "$2"',
    ]
    await tool('unshare', [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-e',
      '-c',
      script.join('\n'),
      'sh',
      live,
      copy,
    ])
    expect(await shell('dumpe2fs -h "$1" 2>/dev/null | grep features', copy)).toContain('needs_recovery')
    const state = await shell('stat -c "%s %.Y" "$1"', copy)
    const tar = join(folder, 'dirty.tar')
    const { warnings } = await vm2container([copy, '-o', `tarball:${tar}`, ...VERBATIM])
    expect(warnings.join('\n')).toMatch(/journal/)
    expect(await shell('stat -c "%s %.Y" "$1"', copy)).toBe(state)
    // the kernel replays into the copy, so it comes last
    const judge = join(folder, 'dirty.kernel.tar')
    await kernelTar(copy, { '/': await wholeDisk(copy) }, judge, 'replay')
    expect(lines(await compareTars(judge, tar))).toEqual([])
    expect(await shell('tar -tf "$1" | grep -c srv/new-', tar)).toBe('500\n')
    await rm(tar)
  })

  it('two roots that look alike are a question, which --root answers', async () => {
    const disk = join(folder, 'twins.img')
    await emptyDisk(disk, 40 * MIB)
    await shell('printf "label: dos\\nsize=16MiB, type=83\\nsize=16MiB, type=83\\n" | sfdisk -q "$1"', disk)
    const small = join(folder, 'small')
    await shell('mkdir -p "$1/etc" "$1/bin"; printf "127.0.0.1 localhost\\n" > "$1/etc/hosts"', small)
    for (const [number, extent] of await partitions(disk)) {
      await writeFile(join(small, 'which'), String(number))
      await mke2fs('ext4', small, disk, extent)
    }
    const output = join(folder, 'twins.tar')
    const failed = await c2m(['vm2container', disk, '-o', `tarball:${output}`])
    expect(failed.stderr).toContain('(C2M_ROOT_AMBIGUOUS)')
    expect(failed.stderr).toMatch(/partition 1 \(ext4\).*\n.*partition 2 \(ext4\)/)
    expect(failed.stderr).toContain('--root 1')
    expect(failed.code).toBe(2)
    await vm2container([disk, '-o', `tarball:${output}`, '--root', '2'])
    expect(await shell('tar -xOf "$1" which || tar -xOf "$1" ./which', output)).toBe('2')
    const unknown = await c2m(['vm2container', disk, '--root', '7'])
    expect(unknown.stderr).toContain('C2M_ROOT_UNKNOWN')
    expect(unknown.code).toBe(2)
  })

  it('a disk without a root is refused with what is there', async () => {
    const disk = join(folder, 'data.img')
    await emptyDisk(disk, 20 * MIB)
    await shell('printf "label: gpt\\nsize=16MiB\\n" | sfdisk -q "$1"', disk)
    const data = join(folder, 'data')
    await shell('mkdir -p "$1/music"', data)
    await mke2fs('ext4', data, disk, (await partitions(disk)).get(1)!, '-L', 'data')
    const { code, stderr } = await c2m(['vm2container', disk])
    expect(stderr).toContain('(C2M_ROOT_NOT_FOUND)')
    expect(stderr).toContain('partition 1 (ext4, label data)')
    expect(code).toBe(1)
  })
})

const BY_GUESTFISH = [
  'disk-create $1 qcow2 256M',
  'add $1 format:qcow2',
  'run',
  'part-init /dev/sda gpt',
  'part-add /dev/sda p 2048 67583',
  'part-add /dev/sda p 67584 -2048',
  'mkfs ext4 /dev/sda1 label:boot',
  'mkfs ext4 /dev/sda2 label:root',
  'mount /dev/sda2 /',
  'tar-in $2 / xattrs:true acls:true',
  'mkdir /boot',
  'mount /dev/sda1 /boot',
  'write /boot/vmlinuz-1 kernel',
  'write /etc/fstab "LABEL=root / ext4 defaults 0 1\\nLABEL=boot /boot ext4 defaults 0 2\\n"',
  'tar-out / $3 xattrs:true acls:true numericowner:true',
  'umount-all',
]
const guestfish = { guestfish: 'libguestfs-tools', setfacl: 'acl', setfattr: 'attr' }

describe.skipIf(lacks('a disk that guestfish made', guestfish, 'root'))('a disk that guestfish made', () => {
  it('is what its own kernel packed', async () => {
    const folder = await mkdtemp(join(WORK, 'foreign-'))
    const at = (name: string) => join(folder, name)
    try {
      const tree = [
        'mkdir -p "$1/etc" "$1/bin" "$1/srv/deep"; cd "$1"; echo 127.0.0.1 localhost > etc/hosts',
        'echo x > bin/sh; ln bin/sh bin/other; setfattr -n user.a -v b etc/hosts; setfacl -m u:5:r etc/hosts',
        'for i in $(seq 300); do echo $i > srv/deep/$i; done; ln -s deep srv/link; chown 5:6 srv/deep',
        'tar -cf "$2" --xattrs --acls --numeric-owner .',
      ]
      await shell(tree.join('\n'), at('tree'), at('tree.tar'))
      const words = [at('disk.qcow2'), at('tree.tar'), at('judge.tar')]
      const script = BY_GUESTFISH.join('\n').replace(/\$(\d)/g, (_, number: string) => words[Number(number) - 1]!)
      await writeFile(at('script'), script)
      const env = { LIBGUESTFS_BACKEND: 'direct', LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' }
      await tool('guestfish', ['-f', at('script')], env)
      const { result } = await vm2container([at('disk.qcow2'), '-o', `tarball:${at('out.tar')}`, ...VERBATIM])
      expect(lines(await compareTars(at('judge.tar'), at('out.tar')))).toEqual([])
      expect(result.plan.root).toBe('partition 2 (ext4, label root)')
      expect(result.plan.mounts).toEqual([{ path: '/boot', from: 'partition 1 (ext4, label boot)' }])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

const MAKERS: readonly (readonly [string, string, string, string])[] = [
  ['xfs', 'mkfs.xfs', 'xfsprogs', 'mkfs.xfs -q "$1"'],
  ['btrfs', 'mkfs.btrfs', 'btrfs-progs', 'mkfs.btrfs -q "$1"'],
  [
    'crypto_LUKS',
    'cryptsetup',
    'cryptsetup-bin',
    'printf pass | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$1" -',
  ],
]

describe.each(MAKERS)('a root on %s', (type, program, packageName, make) => {
  it.skipIf(lacks(`a root on ${type}`, { [program]: packageName }))('is refused with the reader that can', async () => {
    const folder = await mkdtemp(join(WORK, 'foreign-'))
    try {
      const disk = join(folder, 'disk.img')
      await emptyDisk(disk, 320 * MIB)
      await shell(make, disk)
      const { code, stderr } = await c2m(['vm2container', disk])
      expect(stderr).toContain('(C2M_ROOT_UNREADABLE)')
      expect(stderr).toContain(`holds ${type}`)
      expect(stderr).toContain('--reader nbd')
      expect(code).toBe(1)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
