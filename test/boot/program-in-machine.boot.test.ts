import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@c2m/process'
import { startGuest, type Guest } from '@c2m/qemu'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { WORK } from '../support/paths.js'
import { machineWithProgram } from '../support/reading-machine.js'
import { ssh, sshKey, sshReady } from '../support/ssh.js'

const BOOT_MS = 600_000

/** A tree with what programs lose on the way. */
const TREE = `
mkdir -p /tree/etc /tree/bin /tree/data /tree/home && cd /tree
printf 'ID=debian\\nPRETTY_NAME="Debian GNU/Linux 12"\\n' > etc/os-release
echo 127.0.0.1 localhost > etc/hosts
head -c 300000 /dev/urandom > bin/tool; chmod 4755 bin/tool; ln bin/tool bin/other; ln -s ../nowhere etc/link
cp /bin/ping bin/cap 2>/dev/null || cp /bin/true bin/cap; setcap cap_net_raw+ep bin/cap
setfattr -n user.odd -v 0x00ff80 bin/tool; setfacl -m u:12345:rw etc/hosts
touch "$(printf 'etc/raw\\377name')" 'etc/new
line'; chown 3000000000:4000000000 etc/link -h
truncate -s 5M etc/sparse; printf end >> etc/sparse; mkfifo etc/fifo; mknod etc/null c 1 3
touch -d '1960-01-01 00:00:00.123456789' etc/hosts; touch -d '2100-01-01' bin/tool
`

/** Disks that the kernel made: what is in them, and how. Each makes its file systems from $T, mounts them at /mnt and fills them. */
const BUILD = `
set -e
# a disk's partition as a device: DISK FIRST_SECTOR SECTORS
part() { losetup --show --find --offset $(($2 * 512)) --sizelimit $(($3 * 512)) "$1"; }
fill() { tar -C /tree --xattrs --xattrs-include='*' --acls -S -cf - . | tar -C "$1" --xattrs --xattrs-include='*' --acls -xpf -; }

# GPT; LUKS with LVM in it, whose root is ext4 and whose /data is XFS
truncate -s 700M /luks.raw
printf 'label: gpt\\nstart=2048,size=2048\\nstart=4096,size=1400000\\n' | sfdisk -q /luks.raw
L=$(part /luks.raw 4096 1400000)
printf 'open sesame' | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file=- $L
printf 'open sesame' | cryptsetup open --key-file=- $L making
vgcreate -q -y vg-a /dev/mapper/making && lvcreate -q -y -n root -L 200M vg-a && lvcreate -q -y -n data -l 100%FREE vg-a
echo '/dev/mapper/vg--a-root / ext4 defaults 0 1' > /tree/etc/fstab
echo '/dev/vg-a/data /data xfs defaults 0 2' >> /tree/etc/fstab
mkfs.ext4 -q /dev/vg-a/root && mkfs.xfs -q /dev/vg-a/data
mount /dev/vg-a/root /mnt && fill /mnt && mount /dev/vg-a/data /mnt/data
echo 'on another volume' > /mnt/data/file; chmod 750 /mnt/data
tar -C /mnt --sort=name --xattrs --xattrs-include='*' --acls --format=posix --pax-option=delete=atime,delete=ctime -cf /luks.expected.tar .
umount -R /mnt && vgchange -q -an vg-a && cryptsetup close making && losetup -d $L
qemu-img convert -f raw -O qcow2 /luks.raw /luks.qcow2 && rm /luks.raw

# MBR; btrfs with subvolumes, by default the topmost
truncate -s 400M /btrfs.raw
printf 'label: dos\\nstart=2048,type=83\\n' | sfdisk -q /btrfs.raw
L=$(part /btrfs.raw 2048 800000)
mkfs.btrfs -q -U 01234567-89ab-4def-8123-456789abcdef $L && mount $L /mnt
btrfs -q subvolume create /mnt/@ && btrfs -q subvolume create /mnt/@home
mkdir /mnt/.snapshots && echo home > /mnt/@home/file
echo 'UUID=01234567-89ab-4def-8123-456789abcdef / btrfs defaults,subvol=@ 0 0' > /tree/etc/fstab
echo 'UUID=01234567-89ab-4def-8123-456789abcdef /home btrfs subvol=/@home 0 0' >> /tree/etc/fstab
fill /mnt/@ && btrfs -q subvolume snapshot /mnt/@ /mnt/.snapshots/1
umount /mnt && mount -o subvol=@ $L /mnt && mount -o subvol=@home $L /mnt/home
tar -C /mnt --sort=name --xattrs --xattrs-include='*' --acls --format=posix --pax-option=delete=atime,delete=ctime -cf /btrfs.expected.tar .
umount -R /mnt && losetup -d $L
qemu-img convert -f raw -O vdi /btrfs.raw /btrfs.vdi && rm /btrfs.raw
printf 'open sesame\\n' > /passphrase; echo wrong > /wrong
`

/** Everything that could be left: mounts, mapped devices, connected devices, servers, files. */
const LEFT = `
findmnt -rno TARGET,SOURCE | grep -E 'nbd|mapper|machine' ; dmsetup ls | grep -v 'No devices found'
for d in /sys/block/nbd*; do [ -e "$d/size" ] && [ "$(cat $d/size)" != 0 ] && echo "$d is connected"; done
losetup --list --noheadings; pgrep -a qemu-nbd; find /root/.cache/c2m/temporary -mindepth 1 2>/dev/null; true`

/** Reads, keeps everything, and gives the bare tree; then what differs from the tree as the kernel showed it, by GNU tar. */
const read = (disk: string, flags: string) =>
  `c2m vm2container ${disk} --reader nbd ${flags} --keep all --devices --init none -f -o tarball:/out.tar`
const compare = (expected: string) => `
mkdir -p /a /b && rm -rf /a/* /b/* && tar -C /a --xattrs --xattrs-include='*' --acls --delay-directory-restore -xpf ${expected} && tar -C /b --xattrs --xattrs-include='*' --acls --delay-directory-restore -xpf /out.tar
for t in a b; do (cd /$t && find . -mindepth 1 -printf '%P %y %m %U:%G %T@ %s %n %l\\0' | sort -z
  find . -print0 | sort -z | xargs -0 getfattr -hd -m -; find . -type f -print0 | sort -z | xargs -0 sha256sum) > /$t.list; done
wc -l < /a.list; cmp /a.list /b.list || diff -a /a.list /b.list | head -40`

type Run = (command: string) => Promise<string>

describe('the program in a machine that it made', () => {
  let folder = ''
  let guest: Guest | undefined
  let run: Run
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'program-'))
    const layout = await machineWithProgram(join(folder, 'layout'))
    const disk = join(folder, 'reader.qcow2')
    const flags = ['--ssh-key', await sshKey(), '--hostname', 'reader', '--size', '6G']
    await c2mOk(['container2vm', `oci:${layout}`, '-o', disk, ...flags])
    const port = await freePort()
    const forwards = [{ hostPort: port, guestPort: 22 }]
    const started = await startGuest({
      disk,
      format: 'qcow2',
      firmware: 'bios',
      forwards,
      snapshot: true,
      memoryMiB: 2048,
    })
    guest = started
    await sshReady(port, BOOT_MS)
    run = (command) =>
      ssh(port, command).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}\n${started.serialLog().slice(-4000)}`, { cause: error })
      })
  })
  afterAll(async () => {
    await guest?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('holds commands in an image to their limits, by cgroup v2', () => checkLimits(run))

  it('reads LUKS, LVM, XFS and btrfs through the kernel, and leaves nothing', { timeout: 2_400_000 }, () =>
    checkReader(run),
  )
})

/** Three programs and their libraries, as an image. */
const SMALL = `for p in /bin/sh /bin/sleep /usr/bin/tail; do cp --parents $p $(ldd $p | grep -o '/[^ ]*') /small; done`

async function checkLimits(run: Run): Promise<void> {
  await run(`mkdir /small && ${SMALL}`)
  // systemd hands the controllers down where it was asked to
  const shell = (flags: string, command: string) =>
    `systemd-run --quiet --scope -p Delegate=yes c2m shell dir:/small ${flags} -- ${command}`
  const crowd = `sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; wait; echo all'`
  expect(await run(`${shell('--pids 100', crowd)} 2>&1`)).toMatch(/^all$/m)
  expect(await run(`${shell('--pids 10', crowd)} 2>&1; true`)).toContain('Cannot fork')

  expect(await run(`${shell('--memory 32M', 'tail /dev/zero')} >/log 2>&1; echo $?; cat /log`)).toMatch(/^137$/m)

  const group = '/sys/fs/cgroup/system.slice/c2m-sandbox.*'
  const spin = `${shell('--cpus 0.1', `sh -c 'while :; do :; done'`)} >/log 2>&1 & p=$!`
  const throttled = `grep -h -s "^nr_throttled [1-9]" ${group}/cpu.stat`
  const seen = `for i in $(seq 60); do ${throttled} && break; sleep 1; done; cat ${group}/cpu.max`
  expect(await run(`${spin}; ${seen}; kill $p; wait $p; true`)).toMatch(/^nr_throttled \d+\n10000 100000$/)
  expect(await run(`ls -d ${group} 2>/dev/null; true`)).toBe('')
}

async function checkReader(run: Run): Promise<void> {
  await run(TREE)
  await run(BUILD)
  expect(await run(LEFT)).toBe('')

  const report = await run(`${read('/luks.qcow2', '--passphrase-file /passphrase')} 2>&1`)
  expect(report).toContain('/dev/vg-a/root (ext4)')
  expect(report).toContain('/dev/vg-a/data (xfs)')
  expect(await run(compare('/luks.expected.tar'))).toMatch(/^\d{2,}$/)
  expect(await run(LEFT)).toBe('')

  await run(read('/btrfs.vdi', ''))
  expect(await run(compare('/btrfs.expected.tar'))).toMatch(/^\d{2,}$/)
  expect(await run(LEFT)).toBe('')

  // typed on a terminal, when it is asked for
  const typing = `(until grep -qs 'Enter passphrase' /log; do sleep 1; done; sleep 1; echo 'open sesame')`
  await run(`rm -f /log /out.tar; ${typing} | script -qefc '${read('/luks.qcow2', '')}' /log >/dev/null`)
  expect(await run(compare('/luks.expected.tar'))).toMatch(/^\d{2,}$/)
  expect(await run(LEFT)).toBe('')

  expect(await run(`${read('/luks.qcow2', '--passphrase-file /wrong')} 2>&1 || true`)).toContain('(C2M_PASSPHRASE)')
  expect(await run(`${read('/luks.qcow2', '')} 2>&1 </dev/null || true`)).toContain('--passphrase-file')
  expect(await run(LEFT)).toBe('')

  // a volume of the same name on the host itself
  await run(
    'truncate -s 64M /pv && vgcreate -q -y vg-a $(losetup --show --find /pv) && lvcreate -q -y -L 8M -n root vg-a',
  )
  expect(await run(`${read('/luks.qcow2', '--passphrase-file /passphrase')} 2>&1 || true`)).toContain('(C2M_LVM_NAME)')
  await run('vgremove -q -f -y vg-a; losetup -D; rm /pv')
  expect(await run(LEFT)).toBe('')

  // interrupted as soon as something is connected, opened, mounted
  for (const sign of ['cat /sys/block/nbd*/pid', 'dmsetup ls | grep -q c2m-', 'findmnt -rn | grep -q /mount-']) {
    const started = `${read('/luks.qcow2', '--passphrase-file /passphrase')} >/log 2>&1 & p=$!`
    const interrupt = `for i in $(seq 600); do (${sign}) >/dev/null 2>&1 && break; sleep 0.1; done; kill -INT $p; wait $p; echo $?`
    expect(await run(`${started}; ${interrupt}`)).toBe('130')
    expect(await run(`cat /log`)).toContain('(C2M_INTERRUPTED)')
    expect(await run(LEFT)).toBe('')
  }
}
