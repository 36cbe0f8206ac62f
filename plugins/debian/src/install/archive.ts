/**
 * Lets apt's sources of a release that left the mirrors point to the archive: one-line entries and deb822 stanzas of
 * debian.org's mirrors only (snapshot.debian.org keeps what it has). The archive's Release files have run out of their
 * validity, and it has no *-updates: those went into the last point release.
 *
 * A shell function, `use_archive`; $1 is the folder with sources.list.
 */
export const USE_ARCHIVE = `
use_archive() {
  archive=http://archive.debian.org
  for file in "$1/sources.list" "$1"/sources.list.d/*.list "$1"/sources.list.d/*.sources; do
    if [ ! -f "$file" ]; then continue; fi
    sed -E -i \\
      -e '/^[[:space:]]*#/b' \\
      -e "s,https?://security\\.debian\\.org(/debian-security)?/?([[:space:]]|$),$archive/debian-security\\2,g" \\
      -e "s,https?://(deb|ftp|httpredir|http|cdn-fastly|cloudfront|ftp\\.[a-z]+)\\.(debian\\.net|debian\\.org)/(debian|debian-security)/?([[:space:]]|$),$archive/\\3\\4,g" \\
      -e '/^deb.*archive\\.debian\\.org.*-updates[[:space:]]/s/^/# /' \\
      -e '/^deb.*archive\\.debian\\.org/s/^(deb|deb-src)[[:space:]]+\\[/\\1 [check-valid-until=no /' \\
      -e '/^deb.*archive\\.debian\\.org/{/check-valid-until/!s/^(deb|deb-src)[[:space:]]+/\\1 [check-valid-until=no] /;}' \\
      "$file"
    case $file in
      *.sources)
        sed -E -i \\
          -e '/^Suites:/s/[[:space:]]+[a-z]+-updates([[:space:]]|$)/\\1/g' \\
          -e '/^URIs:.*archive\\.debian\\.org/a Check-Valid-Until: no' \\
          "$file"
        ;;
    esac
  done
}
`
