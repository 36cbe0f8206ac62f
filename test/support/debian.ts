import { debianImage } from '@c2m/testkit'
import { FIXTURES } from './paths.js'

/** Any time in the past will do; a fixed one keeps the image's digest, and with it the caches, stable. */
const CREATED = 1_760_000_000

export function debian12(): Promise<string> {
  return debianImage(`${FIXTURES}/debian-12`, { suite: 'bookworm', created: CREATED })
}

const USRMERGE = 'usrmerge libfile-find-rule-perl libnumber-compare-perl libtext-glob-perl'
const PERL = 'perl perl-modules-5.36 libperl5.36 libgdbm-compat4 libgdbm6'

/** As the official one: with usr-is-merged in the place of usrmerge, whose perl it lacks. */
export function debian12Slim(): Promise<string> {
  return debianImage(`${FIXTURES}/debian-12-slim`, {
    suite: 'bookworm',
    created: CREATED,
    slim: true,
    include: ['usr-is-merged'],
    hooks: [`chroot "$1" dpkg --purge ${USRMERGE} ${PERL}`],
  })
}

export function debian13(): Promise<string> {
  return debianImage(`${FIXTURES}/debian-13-slim`, { suite: 'trixie', created: CREATED, slim: true })
}

export function debian11(): Promise<string> {
  return debianImage(`${FIXTURES}/debian-11`, { suite: 'bullseye', created: CREATED })
}

/** An image that is a machine already: kernel, init, and a boot loader that has made its menu. */
export function debian12Machine(): Promise<string> {
  return debianImage(`${FIXTURES}/debian-12-machine`, {
    suite: 'bookworm',
    created: CREATED,
    include: ['linux-image-cloud-amd64', 'initramfs-tools', 'systemd-sysv', 'udev', 'dbus', 'grub-pc'],
    hooks: ['mkdir -p "$1/boot/grub" && echo "# made before" > "$1/boot/grub/grub.cfg"'],
  })
}

/** A machine that serves: a web server, a database, ssh. The image is also that of the Debian plugin's own tests. */
export function debian12Services(): Promise<string> {
  const include = ['systemd-sysv', 'nginx-light', 'redis-server', 'openssh-server', 'cron']
  return debianImage(`${FIXTURES}/debian-12-services`, { suite: 'bookworm', created: CREATED, include })
}
