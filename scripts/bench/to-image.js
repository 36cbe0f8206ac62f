import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { compare, sh, verdict } from './timing.js'

const FOLDER = '.work/bench'
const SCRATCH = `${FOLDER}/to-image`

/** The kernel's way: the disk exported as a file, loop-mounted read-only, GNU tar, digest. $1 disk, $2 scratch folder. */
const BY_KERNEL = `
  cd "$2"; mkdir -p mounted; : > exported
  qemu-storage-daemon --blockdev driver=file,filename="$1",node-name=f --blockdev driver=vdi,node-name=d,file=f,read-only=on \
    --export type=fuse,id=e,node-name=d,mountpoint="$2/exported",writable=off & daemon=$!
  trap 'umount mounted 2>/dev/null || umount --lazy mounted 2>/dev/null || true; losetup -d "$loop" 2>/dev/null || true; kill $daemon; wait $daemon || true' EXIT
  until [ -s exported ]; do sleep 0.01; done
  start=$(sfdisk --json exported | jq '.partitiontable.partitions[-1].start')
  loop=$(losetup --read-only --find --show --offset $((start * 512)) exported)
  mount -o ro,noload "$loop" mounted
  tar --create --file kernel.tar --directory mounted --numeric-owner --xattrs --xattrs-include='*' --acls .
  openssl dgst -sha256 kernel.tar > digest`

/** A machine's disk to an uncompressed docker-archive with digests. */
export async function measure({ tar, c2m }) {
  sh('mkdir -p "$1"', SCRATCH)
  const disk = `${process.cwd()}/${FOLDER}/machine.vdi`
  if (!existsSync(disk)) {
    assemble(tar, `${FOLDER}/machine.img`)
    sh('qemu-img convert -O vdi "$1" "$2" && rm "$1"', `${FOLDER}/machine.img`, disk)
  }
  const image = `${SCRATCH}/image.tar`
  const own = () => c2m(['vm2container', disk, '--keep', 'all', '-o', `docker-archive:${image}`, '--force'])
  const lines = []
  if (process.getuid() === 0 && existsSync('/dev/fuse')) {
    const scratch = `${process.cwd()}/${SCRATCH}`
    const ways = { c2m: own, kernel: () => sh(BY_KERNEL, disk, scratch) }
    const seconds = await compare(ways, () => sh('rm -f "$1"/*.tar; sync', SCRATCH))
    const detail = `${seconds.c2m.toFixed(2)} s with the start of Node, kernel ${seconds.kernel.toFixed(2)} s`
    lines.push(
      verdict(
        'vdi to docker-archive against the kernel, GNU tar and openssl',
        seconds.c2m / seconds.kernel,
        1.3,
        detail,
      ),
    )
    lines.push(...appliance(disk, seconds.c2m))
  } else lines.push('skipped vdi to docker-archive against the kernel: needs root and /dev/fuse')
  lines.push(...memory(disk, tar))
  rmSync(SCRATCH, { recursive: true, force: true })
  return lines
}

/** libguestfs' helper machine takes most of a minute without KVM: once. */
function appliance(disk, own) {
  if (spawnSync('virt-tar-out', ['--version']).status !== 0)
    return ['skipped virt-tar-out: apt-get install libguestfs-tools']
  const start = process.hrtime.bigint()
  sh(
    'LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg virt-tar-out -a "$1" / "$2"',
    disk,
    `${SCRATCH}/appliance.tar`,
  )
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  return [
    verdict(
      'the same against virt-tar-out (one run)',
      own / seconds,
      0.1,
      `${own.toFixed(2)} s, virt-tar-out ${seconds.toFixed(1)} s`,
    ),
  ]
}

/** Peak resident memory, for this disk and one five times as large. */
function memory(disk, tar) {
  const large = `${process.cwd()}/${FOLDER}/machine-5.vdi`
  if (!existsSync(large) && existsSync(tar.replace('tree', 'tree-5'))) {
    assemble(tar.replace('tree', 'tree-5'), `${FOLDER}/machine-5.img`)
    sh('qemu-img convert -O vdi "$1" "$2" && rm "$1"', `${FOLDER}/machine-5.img`, large)
  }
  return [disk, large].filter(existsSync).map((one) => {
    const args = [
      'packages/cli/bin/run.js',
      'vm2container',
      one,
      '--keep',
      'all',
      '--force',
      '--json',
      '-o',
      `docker-archive:${SCRATCH}/memory.tar`,
    ]
    const result = spawnSync(
      'sh',
      [
        '-c',
        'C2M_CACHE_DIR=.work/bench/cache exec /usr/bin/time -f %M "$@" 2>"$0"',
        `${SCRATCH}/peak`,
        process.execPath,
        ...args,
      ],
      { encoding: 'utf8', maxBuffer: 2 ** 28 },
    )
    if (result.status !== 0) throw new Error(sh('tail -5 "$1"', `${SCRATCH}/peak`))
    const peak = Number(sh('tail -n 1 "$1"', `${SCRATCH}/peak`)) * 1024
    const { entries } = JSON.parse(result.stdout).plan
    const allowed = 256 * 2 ** 20 + 600 * entries
    return verdict(
      `peak memory with ${entries} entries on the disk`,
      peak / allowed,
      1,
      `${Math.round(peak / 2 ** 20)} MiB of ${Math.round(allowed / 2 ** 20)} MiB`,
    )
  })
}

function assemble(tar, disk) {
  const result = spawnSync(process.execPath, ['scripts/bench/assemble-tree.js', tar, disk], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(result.stderr)
}
