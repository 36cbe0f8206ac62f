import { useArchive, type Archive } from '@c2m/plugin-debian'

/**
 * Releases that left the mirrors are on old-releases.ubuntu.com with all their suites; for the ports' architectures, too. What
 * is somebody else's (ppa.launchpadcontent.net, esm.ubuntu.com) stays.
 */
export const ARCHIVE: Archive = {
  host: 'old-releases.ubuntu.com',
  script: useArchive(`
    sed -E -i \\
      -e '/^[[:space:]]*#/b' \\
      -e 's,https?://(([a-z0-9-]+\\.)*archive|security)\\.ubuntu\\.com/ubuntu/?([[:space:]]|$),http://old-releases.ubuntu.com/ubuntu\\3,g' \\
      -e 's,https?://ports\\.ubuntu\\.com(/ubuntu-ports)?/?([[:space:]]|$),http://old-releases.ubuntu.com/ubuntu\\2,g' \\
      "$file"
`),
}
