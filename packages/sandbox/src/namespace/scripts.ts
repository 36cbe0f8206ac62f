/**
 * What runs in the namespaces, as POSIX shell with the host's util-linux and coreutils. In there:
 *
 *     /tmp            tmpfs of the session; the host's is hidden
 *     /tmp/store      the sandbox's folder in the cache: bases, downloads, work
 *     /tmp/work       upper/ work/ stash/: tmpfs, or a folder of the store
 *     /tmp/tree       the overlay: what the image's programs get as their root
 *     /tmp/bundles    a directory for each container, for the OCI runtime
 *     /tmp/runtime    its state
 *     /tmp/init       the program of the containers' first process
 */

/**
 * First process of the session; the sandbox's folder is its working directory. Ends when its standard input does. $1 'own'
 * when the session has a network namespace of its own, $2 the program sleep(1).
 */
export const SESSION = `
set -eu
umask 022
read -r pid rest < /proc/self/stat
echo "begun $pid"
# the caller may open what /tmp is about to hide
read -r rest
if [ "$1" = own ]; then ip link set lo up; fi
mount -t tmpfs -o mode=0755 c2m /tmp
mkdir /tmp/store /tmp/work /tmp/tree /tmp/init
mkdir -m 0700 /tmp/bundles /tmp/runtime
# to be run and not to be read, by others than its owner
cp -L "$2" /tmp/init/sleep
chmod 0111 /tmp/init/sleep
# processes are known by their numbers in this namespace from here on
mount -t proc -o nosuid,nodev,noexec proc /proc
# control groups are set up by the caller, or not at all
if [ -d /sys/fs/cgroup ]; then mount -t tmpfs -o mode=0755 c2m /sys/fs/cgroup; fi
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
mount -t overlay -o "nosuid,nodev,lowerdir=/tmp/store/bases/$1,upperdir=/tmp/work/upper,workdir=/tmp/work/work,$4" c2m /tmp/tree
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

/**
 * Walks to directory $1 of the upper tree; fails where a part of the path is missing, or was made a symlink by the image's
 * programs. remove_made removes what was made, an empty directory or file, and nothing that a symlink leads to.
 */
export const GO_IN = `
go_in() {
  cd /tmp/work/upper
  rest=$1
  while [ -n "$rest" ]; do
    part=\${rest%%/*}
    case $rest in */*) rest=\${rest#*/} ;; *) rest= ;; esac
    [ -n "$part" ] || continue
    if [ -L "$part" ] || [ ! -d "$part" ]; then return 1; fi
    cd -P "./$part"
  done
}
remove_made() {
  made=\${1%/}
  name=\${made##*/}
  case $made in '') return ;; */*) go_in "\${made%/*}" || return 0 ;; *) go_in '' ;; esac
  if [ -L "./$name" ]; then return; fi
  if [ -d "./$name" ]; then rmdir -- "./$name" 2> /dev/null || :
  elif [ -f "./$name" ] && [ ! -s "./$name" ]; then rm -f -- "./$name"; fi
}
`

/** The same arguments without mode ($1 directory, $2 name, $3 key); the overlay is no longer mounted. */
export const TAKE_FILE = `
set -eu
${GO_IN}
stash=/tmp/work/stash/$3
go_in "$1" || exit 0
if [ -f "./$2" ] && [ ! -L "./$2" ] && cmp -s "./$2" "$stash.content"; then
  rm -f -- "./$2"
  if [ -e "$stash.before" ] || [ -L "$stash.before" ]; then mv -T -- "$stash.before" "./$2"; fi
fi
while read -r path; do remove_made "$path"; done < "$stash.made"
`

/** Empties directories of the upper tree, each argument one, without following symlinks. */
export const EMPTY_DIRECTORIES = `
set -eu
${GO_IN}
for path; do
  if go_in "$path"; then find . -mindepth 1 -delete; fi
done
`

/** The directories on which the runtime mounts, made in the overlay when the image lacks them. */
export const MAKE_POINTS = `
for d in proc sys dev; do
  if [ -L "/tmp/tree/$d" ]; then echo "/$d is a symlink" >&2; exit 1; fi
  if [ ! -d "/tmp/tree/$d" ]; then mkdir "/tmp/tree/$d"; echo "$d" >> /tmp/work/stash/made-directories; fi
done
`

/**
 * remount_below POINT ro|rw: a bind mount takes over the options of what is below it only when it is mounted again, mount by
 * mount.
 */
export const REMOUNT_BELOW = `
remount_below() {
  while read -r _ _ _ _ at flags _; do
    case $at in "$1" | "$1"/*) ;; *) continue ;; esac
    at=$(printf %b "$at")
    # another mount may lie over it
    [ -e "$at" ] || continue
    options=remount,bind,nosuid,nodev
    # what the host has forbidden stays so
    case ,$flags, in *,noexec,*) options=$options,noexec ;; esac
    case ,$flags,$2, in *,ro,*) options=$options,ro ;; esac
    mount -o "$options" "$at"
  done < /proc/self/mountinfo
}
`

/** The host's /sys, to be read only: a sysfs of its own needs a network namespace of its own. */
export const HOST_SYS = `
set -eu
${REMOUNT_BELOW}
mkdir /tmp/sys
mount --rbind /sys /tmp/sys
remount_below /tmp/sys ro
`

/** Package caches are mounted in the overlay: for each its folder in the store and its directory in the tree. */
export const MOUNT_CACHES = `
set -eu
${GO_TO}
${MAKE_POINTS}
while [ $# -gt 0 ]; do
  cd /tmp/tree
  go_to "$2"
  mount -c --bind "/tmp/store/$1" .
  shift 2
done
`
