import { execFileSync } from 'node:child_process'
import { chmod, chown, link, lutimes, mkdir, open, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Rootfs } from '@c2m/plugin-api'

/** Whether this process may make device nodes and give files away. */
export const isRoot = process.getuid?.() === 0

/**
 * A small root file system with what programs lose on the way: hard links, odd names, holes, attributes, capabilities,
 * access lists, nanoseconds, large ids. Devices, owners and capabilities only when root makes it.
 */
export async function makeOddTree(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name)
  for (const name of ['bin', 'etc', 'dir', 'empty', `deep/${'n'.repeat(200)}/${'m'.repeat(200)}`]) {
    await mkdir(at(name), { recursive: true })
  }
  await writeFile(at('etc/os-release'), 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n')
  await writeFile(at('etc/fstab'), 'UUID=00000000-0000-4000-8000-000000000001 / ext4 defaults 0 1\n')
  await writeFile(at('etc/hosts'), '127.0.0.1 localhost\n')
  await writeFile(at('bin/tool'), Buffer.alloc(300_000, 'tool'))
  await chmod(at('bin/tool'), 0o4755)
  await link(at('bin/tool'), at('bin/other'))
  await link(at('bin/tool'), at('zz'))
  await symlink('../nowhere', at('dir/dangling'))
  await symlink('x'.repeat(300), at('dir/long'))
  for (const name of ['line\nbreak', 'back\\slash', 'colon: x', '-rf', ' blank ', '~tilde', '*', 'ünï©ode', '.wh']) {
    await writeFile(at(`dir/${name}`), name)
  }
  await writeFile(Buffer.concat([Buffer.from(`${at('dir')}/`), Buffer.from('raw\xff\xfebytes', 'latin1')]), 'raw')
  await using sparse = await open(at('dir/sparse'), 'w')
  await sparse.write(Buffer.alloc(10_000, 1), 0, 10_000, 1_000_000)
  await sparse.truncate(5_000_000)
  await writeFile(at(`deep/${'n'.repeat(200)}/${'m'.repeat(200)}/${'f'.repeat(200)}`), 'deep')
  execFileSync('mkfifo', [at('dir/fifo')])
  execFileSync('setfattr', ['-n', 'user.odd=%name', '-v', '0x00ff80410a', at('bin/tool')])
  execFileSync('setfattr', ['-n', 'user.dir', '-v', 'value', at('dir')])
  execFileSync('setfacl', ['-m', 'u:12345:rw,g:54321:r', at('etc/hosts')])
  execFileSync('setfacl', ['-d', '-m', 'u:12345:rwx', at('empty')])
  if (isRoot) {
    await chown(at('etc/fstab'), 1000, 65_534)
    await chown(at('dir/*'), 3_000_000_000, 4_000_000_000)
    execFileSync('setcap', ['cap_net_raw+ep', at('dir/-rf')])
    execFileSync('mknod', [at('dir/null'), 'c', '1', '3'])
    execFileSync('mknod', [at('dir/disk'), 'b', '259', '70000'])
  }
  await utimes(at('etc/hosts'), 1, 1_234_567_890.123456)
  await utimes(at('dir/ blank '), 1, -5)
  await lutimes(at('dir/dangling'), 1, 5_000_000_000)
  await utimes(at('dir'), 1, 1_700_000_000)
}

/** Bytes of all bodies as they come in one pass, which is how an image is written. */
export async function contentBytes(rootfs: Rootfs): Promise<number> {
  let bytes = 0
  for await (const { body } of rootfs.contents()) for await (const { data } of body) bytes += data.length
  return bytes
}
