import { run } from '@c2m/process'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { noise } from '../../testing/tree.js'

/** A folder with everything that ext4 can hold; root is needed. */
const SCRIPT = String.raw`
set -e
cd "$1"
mkdir -p dir/sub "$(printf 'n%.0s' $(seq 255))/$(printf 'm%.0s' $(seq 120))" empty-dir
printf hello > dir/file && ln dir/file dir/hardlink && ln dir/file z-hardlink
ln -s ../dir/file dir/symlink
for n in 1 58 59 60 61 62 200 300 1000; do ln -s "$(printf 't%.0s' $(seq $n))" link-$n; done
ln -s dangling s1 && ln s1 s2
printf x > "$(printf 'bad\377name')" && printf y > grün && printf z > "$(printf 'new\nline\\')" && ln -s "$(printf 'raw\376')" raw-link
mkfifo fifo && mknod null c 1 3 && mknod disk b 259 1048575 && mknod old b 8 1 && ln null null2
printf cap > capability && setcap cap_net_raw+ep capability
printf a > attributes
setfattr -n user.binary -v 0x000a3d80ff00 attributes
setfattr -n user.empty attributes
setfattr -n user.grün -v 0x41 attributes
setfattr -n trusted.here -v 0x0102 dir
for i in $(seq 12); do setfattr -n user.number$i -v "$(printf "$i%.0s" $(seq 30))" attributes; done
setfattr -h -n trusted.link -v 0x01 link-58
setfattr -h -n trusted.link -v 0x01 link-300
setfattr -h -n trusted.node -v 0x01 null
printf acl > acl && setfacl -m u:1234567890:rx,g:4242:w acl
mkdir acl-dir && setfacl -m u:1234:rwx acl-dir && setfacl -d -m u:4243:r,g:4242:x acl-dir
printf ids > ids && chown 4294967293:3000000000 ids
printf set > modes && chmod 6751 modes && chmod 1777 dir/sub
: > empty
for n in 1 59 60 61 100 130 150 160 170 700 900; do head -c $n /dev/zero | tr '\0' "$(printf "\\$((n % 8 + 1))7")" > size-$n; done
for n in 1 2 3 5 9; do mkdir small-$n; for i in $(seq $n); do : > small-$n/name-$i; done; done
truncate -s 3M sparse && printf data | dd of=sparse bs=1 seek=1048576 conv=notrunc status=none
truncate -s 100000 all-hole
head -c 2500000 /dev/urandom > large
mkdir many && (cd many && seq -f 'a-rather-long-name-so-that-the-index-gets-deep-%06g' "$2" | xargs touch)
`

/** What only a kernel that writes ext4 itself leaves behind. */
const ALLOCATION = String.raw`
set -e
cd "$1"
fallocate -l 1M unwritten
head -c 500000 /dev/urandom > punched && sync punched && fallocate -p -o 100000 -l 200000 punched
fallocate -n -l 1M beyond-the-end && printf short > beyond-the-end
head -c 100000 /dev/urandom > partly && fallocate -l 300000 partly
(cd many && ls | head -n 100 | xargs rm)
: > moved && mkdir deleted && mv moved deleted/moved && rm -r deleted
`

/** To be run last: times change when anything else does. */
const TIMES = String.raw`
set -e
cd "$1"
touch -d '1969-12-31 23:59:58.5 UTC' dir/file
touch -d '2100-01-01 00:00:00.000000001 UTC' empty
touch -h -d '2001-02-03 04:05:06.123456789 UTC' dir/symlink
touch -d '1901-12-14 00:00:00 UTC' size-1
touch -d '2020-01-01 00:00:00.25 UTC' dir acl-dir .
`

export interface ExoticOptions {
  /** Names in the large directory. */
  readonly names: number
  /** Runs of the fragmented file. */
  readonly fragments: number
  readonly blockSize: number
  /** It takes fallocate(2), which block maps do not. */
  readonly allocates: boolean
}

export async function fillFolder(folder: string, options: ExoticOptions): Promise<void> {
  await run('/bin/sh', ['-c', SCRIPT, 'sh', folder, String(options.names)])
  const file = await open(join(folder, 'fragmented'), 'w')
  const block = noise(options.blockSize, 'fragment')
  for (let index = 0; index < options.fragments; index++) {
    block.writeUInt32LE(index)
    await file.write(block, 0, block.length, 2 * index * block.length)
  }
  await file.close()
  if (options.allocates) await run('/bin/sh', ['-c', ALLOCATION, 'sh', folder])
  await run('/bin/sh', ['-c', TIMES, 'sh', folder])
}
