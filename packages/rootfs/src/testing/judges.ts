import { findTool } from '@c2m/process'

/** Whether all tools are there, and root when it must be; says what is missing, since a skipped judge judges nothing. */
export async function canJudge(tools: Record<string, string>, options: { root?: boolean } = {}): Promise<boolean> {
  const missing: string[] = []
  for (const [tool, aptPackage] of Object.entries(tools)) {
    if ((await findTool(tool)) === undefined) missing.push(aptPackage)
  }
  if (missing.length > 0) console.warn(`SKIPPED: install ${missing.join(' ')} (apt-get install ${missing.join(' ')})`)
  const needsRoot = options.root === true && process.getuid?.() !== 0
  if (needsRoot) console.warn('SKIPPED: owners, devices and capabilities can only be made by root')
  return missing.length === 0 && !needsRoot
}

/** A folder with everything that a tree can hold; as root only. */
export const EXOTIC_TREE = String.raw`
set -e
mkdir -p dir/sub "$(printf 'n%.0s' $(seq 200))/$(printf 'm%.0s' $(seq 120))"
printf hello > dir/file && ln dir/file dir/hardlink && ln dir/file z-hardlink
ln -s ../dir/file dir/symlink && ln -s "$(printf 't%.0s' $(seq 300))" long-link
ln -s dangling s1 && ln s1 s2
printf x > "$(printf 'bad\377name')" && printf y > grün && printf z > "$(printf 'new\nline\\')"
mkfifo fifo && mknod null c 1 3 && mknod disk b 259 1048575 && ln null null2
printf cap > capability && setcap cap_net_raw+ep capability
printf a > attributes
setfattr -n user.binary -v 0x000a3d80ff00 attributes
setfattr -n user.empty attributes
setfattr -n 'user.with=and%3D' -v 0x41 attributes
setfattr -n trusted.here -v 0x0102 dir
printf acl > acl && setfacl -m u:1234567890:rx,g:4242:w acl
mkdir acl-dir && setfacl -m u:1234:rwx acl-dir && setfacl -d -m u:4243:r,g:4242:x acl-dir
printf ids > ids && chown 4294967293:3000000000 ids
printf set > modes && chmod 6751 modes && chmod 1777 dir/sub
printf o > old && touch -d '1969-12-31 23:59:58.5 UTC' old
printf n > new && touch -d '2100-01-01 00:00:00.000000001 UTC' new
touch -h -d '2001-02-03 04:05:06.123456789 UTC' dir/symlink
truncate -s 3M sparse && printf data | dd of=sparse bs=1 seek=1048576 conv=notrunc status=none
printf end | dd of=sparse bs=1 seek=2097152 conv=notrunc status=none
truncate -s 100000 all-hole && : > empty
for i in $(seq 60); do printf $i | dd of=holes bs=1 seek=$((i * 20000)) conv=notrunc status=none; done
head -c 2500000 /dev/urandom > large
touch -d '2020-01-01 00:00:00.25 UTC' dir acl-dir .
`
