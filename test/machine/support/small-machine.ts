import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { emptyDisk, mke2fs } from './tree.js'
import { shell } from './tools.js'

const HASH = '$y$j9T$abcdefghijklmnop$ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq'
const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n'

/** Path → content. */
const FILES: Readonly<Record<string, string>> = {
  'bin/sh': '#!/no/such\n',
  'etc/os-release': 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
  'etc/hosts': '127.0.0.1 localhost\n',
  'etc/fstab': '/dev/sda1 / ext4 defaults 0 1\n',
  'etc/passwd': 'root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n',
  'etc/shadow': `root:${HASH}:19000:0:99999:7:::\nme:!${HASH}:19000::::::\ndaemon:*:19000::::::\n`,
  'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
  'boot/vmlinuz-6.1': 'kernel',
  'home/me/.ssh/id_ed25519': KEY,
  'home/me/.aws/credentials': '[default]\naws_secret_access_key = abc\n',
  'home/me/.bash_history': 'mysql -pSECRET\n',
  'home/me/work/keep.txt': 'kept\n',
  'home/me/work/drop.tmp': 'dropped\n',
  'srv/.wh.gone': 'x',
  'srv/plain': 'x',
  'var/lib/dpkg/status': 'Package: base-files\nStatus: install ok installed\nArchitecture: amd64\nVersion: 12\n\n',
  'var/log/syslog': 'line\n',
  'var/mail/me': 'a letter\n',
}

/** What makes some of them special; $1 is the tree. */
const SPECIAL = `
cd "$1"
truncate -s 1200G var/log/lastlog
mkfifo srv/pipe
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("srv/socket")'
chmod 600 home/me/.ssh/id_ed25519 etc/shadow
find . -exec touch -h -d '2024-05-06 07:08:09 UTC' {} +
`

/** A machine of a few files that has what reports are about: a dump of its root, by mke2fs, which needs no root. */
export async function smallMachine(folder: string): Promise<string> {
  const tree = join(folder, 'small-tree')
  for (const [path, content] of Object.entries(FILES)) {
    await mkdir(dirname(join(tree, path)), { recursive: true })
    await writeFile(join(tree, path), content)
  }
  await shell(SPECIAL, tree)
  const disk = join(folder, 'small.img')
  const size = 32 * 1024 ** 2
  await emptyDisk(disk, size)
  await mke2fs('ext4', tree, disk, { start: 0, size })
  return disk
}
