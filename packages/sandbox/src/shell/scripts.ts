import { quote } from '@c2m/process'
import { CHANGE_ROOT, GO_TO, MAKE_POINTS, MAKE_SYSTEM } from '../namespace/scripts.js'

/**
 * Mounts open files (descriptors) as /tmp/volumes/0, 1, …: each argument is 'DESCRIPTOR:ro' or 'DESCRIPTOR:rw'. A bind
 * mount takes over the options of what is below it only when it is mounted again, mount by mount.
 */
export const MOUNT_FILES = `
set -eu
mkdir /tmp/volumes
number=0
for file; do
  access=\${file#*:}
  file=/proc/self/fd/\${file%%:*}
  point=/tmp/volumes/$number
  number=$((number + 1))
  if [ -d "$file" ]; then mkdir "$point"; else : > "$point"; fi
  mount -c --rbind "$file" "$point"
  while read -r _ _ _ _ at flags _; do
    case $at in "$point" | "$point"/*) ;; *) continue ;; esac
    options=remount,bind,nosuid,nodev
    # what the host has forbidden stays so
    case ,$flags, in *,noexec,*) options=$options,noexec ;; esac
    case ,$flags,$access, in *,ro,*) options=$options,ro ;; esac
    mount -o "$options" "$(printf %b "$at")"
  done < /proc/self/mountinfo
done
`

/** In the tree of make_points: mounts /tmp/volumes/$1 at $2, and keeps in the stash what it made for that. */
const MOUNT_VOLUME = `
mount_volume() {
  cd /tmp/tree
  if [ -d "/tmp/volumes/$1" ]; then
    go_to "$2"
    mount -c --rbind "/tmp/volumes/$1" .
  else
    name=\${2##*/}
    case $2 in */*) go_to "\${2%/*}" ;; *) made= ;; esac
    if [ -L "./$name" ] || [ -d "./$name" ]; then echo "/$2 is no file" >&2; exit 1; fi
    if [ ! -e "./$name" ]; then : > "./$name"; echo "$2" >> /tmp/work/stash/made-files; fi
    mount -c --rbind "/tmp/volumes/$1" "./$name"
  fi
  printf %s "$made" >> /tmp/work/stash/made-directories
}
`

/** Takes away what was made for mounts, when nothing else came of it; the overlay is no longer mounted. */
export const TAKE_POINTS = `
set -eu
cd /tmp/work/upper
touch /tmp/work/stash/made-files /tmp/work/stash/made-directories
while read -r made; do
  if [ -f "./$made" ] && [ ! -L "./$made" ] && [ ! -s "./$made" ]; then rm -f -- "./$made"; fi
done < /tmp/work/stash/made-files
sort -r /tmp/work/stash/made-directories | while read -r made; do
  if [ -n "$made" ]; then rmdir -- "./$made" 2> /dev/null || :; fi
done
`

/**
 * The command's own process, already with its user's ids: waits until the tree has become its root directory (which
 * pivot_root does to every process of the namespace), and then uses nothing of the host any more. So neither the
 * image's environment nor its programs ever meet a program of the host.
 * $1 working directory, then the command. Descriptor 5: assignments as shell text; 6: what the first process says; 7: what it is
 * told.
 */
const RUN = `
read -r pid rest < /proc/self/stat
echo "c2m command $pid" >&3
environment=$(cat <&5)
echo waiting >&7
read -r word <&6
[ "$word" = go ] || exit 125
exec 5<&- 6>&- 7>&-
cd -- "$1" || exit 125
shift
unset LC_ALL SHELL OLDPWD word pid rest
umask 022
ulimit -c 0
eval "$environment"
unset environment
echo "c2m entered" >&3
exec 3>&-
exec "$@"
`

/**
 * First process of the command's namespaces. The work is done in the background, where Ctrl-C does not matter, while the
 * command's process waits in the foreground, where a shell leaves signals and standard input as they are.
 * $1 'none' or 'host', $2 user id, $3 group id, $4 groups between commas, $5 working directory, $6 'terminal' when
 * standard input is a terminal of the command's own, $7 a directory to make, $8 number of volumes, then for each its
 * number and its place in the tree, then the command. The assignments are in /tmp/environment.
 */
export const ENTER_SHELL = `
read -r pid rest < /proc/self/stat
echo "c2m pid $pid" >&3
${GO_TO}
${MAKE_SYSTEM}
${CHANGE_ROOT}
${MOUNT_VOLUME}
prepare() {
  set -eu
  trap 'echo failed >&6' EXIT
  for d in proc sys dev; do
    [ -e "/tmp/tree/$d" ] || echo "$d" >> /tmp/work/stash/made-directories
  done
  ${MAKE_POINTS}
  if [ "$1" = none ]; then ip link set lo up; fi
  make_system "$1"
  if [ "$6" = terminal ]; then
    # a terminal of the command's own, in the folder in which programs look for its name
    : > dev/console
    mount -c --bind "$(readlink /proc/self/fd/4)" dev/console
    chown "$2" dev/console
  fi
  missing=$7 number=$8
  shift 8
  while [ "$number" -gt 0 ]; do
    mount_volume "$1" "$2"
    shift 2
    number=$((number - 1))
  done
  cd /tmp/tree
  if [ -n "$missing" ]; then go_to "$missing"; fi
  cd /tmp/tree
  # until then it is being made of programs of the host
  read -r word <&7
  change_root
  trap - EXIT
  echo go >&6
}
mkfifo /tmp/go /tmp/waiting
exec 4<&0 5< /tmp/environment 6<> /tmp/go 7<> /tmp/waiting
prepare "$@" < /dev/null 2>&3 5<&- &
network=$1 uid=$2 gid=$3 groups=$4 directory=$5 terminal=$6 number=$8
shift 8
shift $((number * 2))
groups=\${groups:+--groups=$groups}
exec 4<&-
# what comes from the terminal is the command's; a trap, unlike ignoring it, is not handed down
trap : INT QUIT
# away from the other processes, so that a signal can be sent to the command and what it starts alone
[ "$terminal" = terminal ] && setsid= || setsid=setsid
setpriv --reuid="$uid" --regid="$gid" \${groups:---clear-groups} -- $setsid sh -c "$RUN" c2m "$directory" "$@" 4<&-
# not all processes above this one give it on when they have been sent a signal as well
echo "c2m exit $?" >&3
`.replace('"$RUN"', () => quote(RUN))
