import { median, sh, verdict } from './timing.js'

/** The package step with downloads cached, against a plain apt-get install of the same packages in a chroot. */
export async function measure({ base, c2m }) {
  if (process.getuid() !== 0) return ['skipped package step: a chroot, the other side of the comparison, needs root']
  const disk = '.work/bench/packages.img'
  const flags = ['container2vm', `oci:${base}`, '-o', disk, '--force', '--json']
  const plan = JSON.parse(
    sh('"$1" packages/cli/bin/run.js "$2" "$3" --dry-run --json -o x.img', process.execPath, ...flags.slice(0, 2)),
  )
  c2m([...flags, '--refresh']) // downloads
  const ratios = []
  const details = []
  for (let run = 0; run < 3; run++) {
    const step = stageSeconds(flags)
    const plain = chroot(base, plan.packages)
    ratios.push(step / plain)
    details.push(`${step.toFixed(1)} s and ${plain.toFixed(1)} s`)
  }
  sh('rm -f "$1"', disk)
  return [verdict('package step against plain apt-get install', median(ratios), 0.6, details.join('; '))]
}

function stageSeconds(flags) {
  const events = sh(
    'C2M_CACHE_DIR=.work/bench/cache "$@" --refresh 2>&1 >/dev/null',
    process.execPath,
    'packages/cli/bin/run.js',
    ...flags,
  )
  const done = events
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .find(({ event, title }) => event === 'done' && title.startsWith('install'))
  return done.seconds
}

/** Seconds of apt-get install in a chroot over an unpacked copy of the image, the packages downloaded before. */
function chroot(base, packages) {
  const script = `
    tree=$(mktemp -d); trap 'umount "$tree/proc" "$tree/dev"; rm -rf "$tree"' EXIT
    for blob in "$1"/blobs/sha256/*; do gzip -dc "$blob" 2>/dev/null | tar -C "$tree" --numeric-owner -x 2>/dev/null || true; done
    rm -f "$tree"/etc/apt/apt.conf.d/docker-clean; cp /etc/resolv.conf "$tree"/etc/resolv.conf
    mount --bind /dev "$tree/dev"; mount -t proc proc "$tree/proc"; shift
    export DEBIAN_FRONTEND=noninteractive
    chroot "$tree" apt-get -qq update
    chroot "$tree" apt-get -qq install -y --no-install-recommends --download-only "$@" >/dev/null
    start=$(date +%s.%N)
    chroot "$tree" apt-get -qq update
    chroot "$tree" apt-get -qq install -y --no-install-recommends "$@" >/dev/null 2>&1
    end=$(date +%s.%N)
    echo "$end - $start" | awk '{ print $1 - $3 }'`
  return Number(sh(`unshare --mount sh -ec '${script.replaceAll("'", `'\\''`)}' sh "$@"`, base, ...packages).trim())
}
