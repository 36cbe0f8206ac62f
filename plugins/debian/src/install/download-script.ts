/**
 * Downloads and installs "$@". The lists and the downloads are caches that other conversions use at the same time: one
 * changes them at a time (apt's own locks would make the second one fail, so they are off). Lists younger than a day are
 * taken as they are; when a package cannot be had with them, they are renewed once. Failing repositories among the image's
 * sources matter only when a package is missing in the end.
 *
 * @param useArchive the shell function that makes the sources those of the archive
 *
 * Environment: C2M_ARCHIVE 'yes', 'perhaps' or 'no'; C2M_REINSTALL packages whose files were removed from the image, of which
 * the same version is to come back; C2M_STRIPPED likewise, but to be forgotten: the mirrors may have another version by now.
 */
export function downloadAndInstall(useArchive: string): string {
  return `#!/bin/sh
set -eu
lists=/var/lib/apt/lists
${useArchive.trim()}

get() { apt-get --quiet --yes --no-install-recommends "$@"; }

update() {
  echo "c2m: getting the package lists"
  renewed=yes
  if apt-get --quiet -o APT::Update::Error-Mode=any update 2>"$faults"; then
    cat "$faults" >&2
    touch "$(stamp)"
  elif [ "$C2M_ARCHIVE" = perhaps ]; then
    echo "c2m: the release may have left the mirrors; trying the archive"
    use_archive /etc/apt
    C2M_ARCHIVE=no
    update
  else
    cat "$faults" >&2
    echo "c2m: some package lists could not be had"
  fi
}

# the cause comes last, so that it is seen
give_up() {
  if [ -s "$faults" ]; then
    echo "c2m: the package lists could not be had:" >&2
    grep '^[EW]:' "$faults" | head -n 8 >&2
  fi
  exit 100
}

# young lists count only for the sources that they were made from
stamp() {
  echo "$lists/c2m-$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sha256sum | cut -c 1-16)"
}

mkdir -p "$lists" /var/cache/apt/archives
faults=$(mktemp)
exec 9>/var/cache/apt/archives/c2m.lock
flock 9
if [ "$C2M_ARCHIVE" = yes ]; then use_archive /etc/apt; fi
renewed=no
if [ -z "$(find "$(stamp)" -mmin -1440 2>/dev/null)" ]; then update; fi
if [ -n "$C2M_STRIPPED" ]; then
  # shellcheck disable=SC2086
  get --purge remove $C2M_STRIPPED
fi
if ! get --download-only install "$@"; then
  if [ "$renewed" = yes ]; then give_up; fi
  update
  get --download-only install "$@" || give_up
fi
flock --shared 9
get install "$@"
if [ -n "$C2M_REINSTALL" ]; then
  # shellcheck disable=SC2086
  get --reinstall install $C2M_REINSTALL
fi
`
}
