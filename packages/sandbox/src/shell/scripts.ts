import { GO_IN, GO_TO, REMOUNT_BELOW } from '../namespace/scripts.js'

/** Mounts open files (descriptors) as /tmp/volumes/0, 1, …: each argument is 'DESCRIPTOR:ro' or 'DESCRIPTOR:rw'. */
export const MOUNT_FILES = `
set -eu
${REMOUNT_BELOW}
mkdir /tmp/volumes
number=0
for file; do
  access=\${file#*:}
  file=/proc/self/fd/\${file%%:*}
  point=/tmp/volumes/$number
  number=$((number + 1))
  if [ -d "$file" ]; then mkdir "$point"; else : > "$point"; fi
  mount -c --rbind "$file" "$point"
  remount_below "$point" "$access"
done
`

/**
 * Mounts /tmp/volumes/0, 1, … in the tree, and keeps in the stash what it made for that. $1 the working directory when it is
 * missing, then each volume's place.
 */
export const PLACE_VOLUMES = `
set -eu
${GO_TO}
missing=$1
shift
number=0
for place; do
  volume=/tmp/volumes/$number
  number=$((number + 1))
  cd /tmp/tree
  if [ -d "$volume" ]; then
    go_to "$place"
    mount -c --rbind "$volume" .
  else
    name=\${place##*/}
    case $place in */*) go_to "\${place%/*}" ;; *) made= ;; esac
    if [ -L "./$name" ] || [ -d "./$name" ]; then echo "/$place is no file" >&2; exit 1; fi
    if [ ! -e "./$name" ]; then : > "./$name"; echo "$place" >> /tmp/work/stash/made-files; fi
    mount -c --rbind "$volume" "./$name"
  fi
  printf %s "$made" >> /tmp/work/stash/made-directories
done
cd /tmp/tree
if [ -n "$missing" ]; then go_to "$missing"; fi
`

/** Takes away what was made for mounts, when nothing else came of it; the overlay is no longer mounted. */
export const TAKE_POINTS = `
set -eu
${GO_IN}
touch /tmp/work/stash/made-files /tmp/work/stash/made-directories
sort -r /tmp/work/stash/made-files /tmp/work/stash/made-directories > /tmp/work/stash/made
while read -r path; do remove_made "$path"; done < /tmp/work/stash/made
`
