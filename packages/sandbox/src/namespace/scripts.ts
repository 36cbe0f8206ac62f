/**
 * What runs in the namespaces, as POSIX shell with the host's util-linux and coreutils. In there:
 *
 *     /tmp            tmpfs of the session; the host's is hidden
 *     /tmp/store      the sandbox's folder in the cache: bases, downloads, work
 *     /tmp/work       upper/ work/ stash/: tmpfs, or a folder of the store
 *     /tmp/tree       the overlay: what the image's programs get as their root
 */

/** First process of the session; the sandbox's folder is its working directory. Ends when its standard input does. */
export const SESSION = `
set -eu
read -r pid rest < /proc/self/stat
echo "begun $pid"
# the caller may open what /tmp is about to hide
read -r rest
mount -t tmpfs -o mode=0755 c2m /tmp
mkdir /tmp/store /tmp/work /tmp/tree /tmp/host
# not canonicalized: the folders above the store may be closed to the container's root, the working directory is not
mount -c --rbind . /tmp/store
echo ready
read -r rest || :
`

/** $1 base, $2 'memory' or a folder of the store, $3 bytes of memory, $4 overlay options. */
export const MOUNT_OVERLAY = `
set -eu
if [ "$2" = memory ]; then
  mount -t tmpfs -o "mode=0755,size=$3" c2m-work /tmp/work
else
  mkdir -p "/tmp/store/$2"
  mount --bind "/tmp/store/$2" /tmp/work
fi
mkdir /tmp/work/upper /tmp/work/work /tmp/work/stash
# the overlay's root directory shows the metadata of the upper one
chown --reference="/tmp/store/bases/$1" /tmp/work/upper
chmod --reference="/tmp/store/bases/$1" /tmp/work/upper
mount -t overlay -o "lowerdir=/tmp/store/bases/$1,upperdir=/tmp/work/upper,workdir=/tmp/work/work,$4" c2m /tmp/tree
`

/**
 * Walks to directory $1 of the current one, making what is missing, and leaves $made with what was made. A symlink on
 * the way would lead out of the tree: the caller has resolved those that the image has, so one that is met now was put
 * there by the image's programs meanwhile.
 */
export const GO_TO = `
go_to() {
  rest=$1 made= at=
  while [ -n "$rest" ]; do
    part=\${rest%%/*}
    case $rest in */*) rest=\${rest#*/} ;; *) rest= ;; esac
    [ -n "$part" ] || continue
    at=$at$part/
    if [ -L "$part" ]; then echo "/$1: $part has become a symlink" >&2; exit 1; fi
    if [ ! -d "$part" ]; then mkdir -m 755 -- "$part"; made="$at
$made"; fi
    cd -P "./$part"
  done
}
`

/** $1 directory, $2 name, $3 mode (octal), $4 key in the stash; the content comes on standard input. */
export const PUT_FILE = `
set -eu
${GO_TO}
upper=/tmp/work/upper/$1/$2
stash=/tmp/work/stash/$4
if [ -e "$upper" ] || [ -L "$upper" ]; then
  # an earlier step put something there (or removed it: a whiteout): kept aside as the overlay has it
  cp -a -- "$upper" "$stash.before"
fi
cd /tmp/tree
go_to "$1"
printf %s "$made" > "$stash.made"
cat > "$stash.content"
rm -f -- "./$2"
cat < "$stash.content" > "./$2"
chmod "$3" "./$2"
`

/** The same arguments without mode ($1 directory, $2 name, $3 key); the overlay is no longer mounted. */
export const TAKE_FILE = `
set -eu
stash=/tmp/work/stash/$3
cd /tmp/work/upper
rest=$1
while [ -n "$rest" ]; do
  part=\${rest%%/*}
  case $rest in */*) rest=\${rest#*/} ;; *) rest= ;; esac
  [ -n "$part" ] || continue
  if [ -L "$part" ] || [ ! -d "$part" ]; then exit 0; fi
  cd -P "./$part"
done
if [ -f "./$2" ] && [ ! -L "./$2" ] && cmp -s "./$2" "$stash.content"; then
  rm -f -- "./$2"
  if [ -e "$stash.before" ] || [ -L "$stash.before" ]; then mv -T -- "$stash.before" "./$2"; fi
fi
cd /tmp/work/upper
while read -r made; do
  [ -z "$made" ] || rmdir -- "./$made" 2> /dev/null || :
done < "$stash.made"
`

/** Empties directories of the upper tree, each argument one, without following symlinks. */
export const EMPTY_DIRECTORIES = `
set -eu
for path; do
  cd /tmp/work/upper
  rest=$path
  while [ -n "$rest" ]; do
    part=\${rest%%/*}
    case $rest in */*) rest=\${rest#*/} ;; *) rest= ;; esac
    [ -n "$part" ] || continue
    if [ -L "$part" ] || [ ! -d "$part" ]; then continue 2; fi
    cd -P "./$part"
  done
  find . -mindepth 1 -delete
done
`

/** The current directory becomes a tree in which programs run: with the kernel's file systems and devices. $1 'none': no network. */
export const MAKE_SYSTEM = `
make_system() {
  mount -t proc -o nosuid,nodev,noexec proc proc
  mount -t tmpfs -o mode=0755,nosuid,size=64m dev dev
  for d in null zero full random urandom tty; do
    : > "dev/$d"
    mount --bind "/dev/$d" "dev/$d"
  done
  mkdir -m 0755 dev/pts
  mkdir dev/shm
  chmod 1777 dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5,nosuid,noexec devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  ln -s /proc/self/fd/0 dev/stdin
  ln -s /proc/self/fd/1 dev/stdout
  ln -s /proc/self/fd/2 dev/stderr
  # a sysfs of its own needs a network namespace of its own
  if [ "$1" != none ] || ! mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys 2> /dev/null; then
    mount --rbind /sys sys
    mount -o remount,bind,ro,nosuid,nodev,noexec sys
  fi
  hostname localhost 2> /dev/null || :
}
`

/** The directories that make_system needs. */
export const MAKE_POINTS = `
cd /tmp/tree
for d in proc sys dev; do
  if [ -L "$d" ]; then echo "/$d is a symlink" >&2; exit 1; fi
  mkdir -p "$d"
done
`

/**
 * The current directory becomes the root of every process in the namespace, the host's tree goes.
 *
 * pivot_root needs a umount after it, but then the host's programs are gone. So a helper waits with a bind mount of the
 * host's tree as its own root, which pivot_root leaves alone, and the new root as its working directory.
 */
export const CHANGE_ROOT = `
change_root() {
  mount --rbind / /tmp/host
  rm -f /tmp/to-helper /tmp/from-helper
  mkfifo /tmp/to-helper /tmp/from-helper
  exec 8<> /tmp/to-helper 9<> /tmp/from-helper
  nsenter --root=/tmp/host --wd=. sh -c 'echo here >&9; read -r _ <&8; exec umount -c -n -l dev/shm 3>&- 8>&- 9>&-' &
  read -r here <&9
  pivot_root . dev/shm
  cd /
  echo go >&8
  wait $!
  exec 8>&- 9>&-
}
`

/**
 * First process of one step's own namespaces: makes the tree the root directory, drops the host's, runs the command.
 * $1 the host's PATH, $2 the guest's, $3 number of caches, then for each its folder in the store and its directory in
 * the tree, then the command.
 */
export const ENTER = `
set -eu
umask 022
ulimit -c 0
guest_path=$2
PATH=$1
${GO_TO}
${MAKE_SYSTEM}
${CHANGE_ROOT}
${MAKE_POINTS}
shift 2
caches=$1
shift
while [ "$caches" -gt 0 ]; do
  cd /tmp/tree
  go_to "$2"
  mount -c --bind "/tmp/store/$1" .
  shift 2
  caches=$((caches - 1))
done
cd /tmp/tree
make_system host
change_root
echo entered >&3
exec 3>&-
unset OLDPWD here caches rest made at part d
PATH=$guest_path
unset guest_path
set +eu
"$@"
exit $?
`
