/** Where the packages of releases that left the mirrors are. */
export interface Archive {
  /** For messages. */
  readonly host: string
  /**
   * A shell function, `use_archive`, that makes apt's sources those of the archive; $1 is the folder with sources.list. Only
   * sources that point to the distro's mirrors change, as one-line entries and as deb822 stanzas (sources.list(5)).
   */
  readonly script: string
}

/** A shell function `use_archive` that runs the shell commands `edit` for every file of sources, as "$file". */
export function useArchive(edit: string): string {
  return `
use_archive() {
  for file in "$1/sources.list" "$1"/sources.list.d/*.list "$1"/sources.list.d/*.sources; do
    if [ ! -f "$file" ]; then continue; fi
    ${edit.trim()}
  done
}
`
}

/**
 * debian.org's mirrors only (snapshot.debian.org keeps what it has). The archive's Release files have run out of their
 * validity, and it has no *-updates: those went into the last point release.
 */
export const DEBIAN_ARCHIVE: Archive = {
  host: 'archive.debian.org',
  script: useArchive(`
    archive=http://archive.debian.org
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
`),
}
