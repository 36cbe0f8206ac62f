import { readShellAssignments } from '../../files/shell-assignments.js'
import { withFlag, withoutOptions, type Foreground, type ForegroundForm, type Start } from './form.js'

/** sshd(8): -D stays, -e logs to stderr. An image has no host keys: what is missing is made at every start. */
async function sshd({ argv, reader }: Start): Promise<Foreground> {
  const keygen = '/usr/bin/ssh-keygen'
  return {
    argv: withFlag(withFlag(argv, '-D'), '-e'),
    directories: [{ path: '/run/sshd', mode: 0o755 }],
    before: (await reader.exists(keygen)) ? [[keygen, '-A']] : [],
  }
}

/** Where its unit asks a helper script, settings are in /etc/default/dnsmasq. */
async function dnsmasq({ argv, reader }: Start): Promise<Foreground> {
  const directories = [{ path: '/run/dnsmasq', mode: 0o755, user: 'dnsmasq' }]
  if (!/helper$|\/init\.d\//.test(argv[0] ?? '')) return { argv: withFlag(argv, '-k', ['-d']), directories }
  const settings = readShellAssignments((await reader.text('/etc/default/dnsmasq')) ?? '')
  const setting = (name: string) => settings.values.get(name) ?? ''
  const options = [
    ...['-u', setting('DNSMASQ_USER') || 'dnsmasq'],
    ...(setting('CONFIG_DIR') === '' ? [] : ['-7', setting('CONFIG_DIR')]),
    ...setting('DNSMASQ_OPTS')
      .split(/\s+/)
      .filter((word) => word !== ''),
  ]
  return { argv: ['/usr/sbin/dnsmasq', '-k', ...options], directories }
}

/** exim(8): -bdf is the daemon in the foreground. */
async function exim({ argv, reader }: Start): Promise<Foreground> {
  if (!/\/init\.d\//.test(argv[0] ?? '')) return { argv: argv.map((word) => (word === '-bd' ? '-bdf' : word)) }
  const { values } = readShellAssignments((await reader.text('/etc/default/exim4')) ?? '')
  const program = (await reader.exists('/usr/sbin/exim4')) ? '/usr/sbin/exim4' : '/usr/sbin/exim'
  return {
    argv: [program, '-bdf', `-q${values.get('QFLAGS') ?? ''}${values.get('QUEUEINTERVAL') ?? '30m'}`],
    directories: [{ path: '/run/exim4', mode: 0o750, user: 'Debian-exim', group: 'Debian-exim' }],
  }
}

/** A flag that keeps a program in the foreground, for those where that is all. */
function flagged(name: RegExp, flag: string, synonyms: readonly string[] = []): ForegroundForm {
  return { name, form: ({ argv }) => ({ argv: withFlag(argv, flag, synonyms) }) }
}

export const OTHER_FORMS: readonly ForegroundForm[] = [
  { name: /^sshd?$/, form: sshd },
  { name: /^dnsmasq$|^systemd-helper$/, form: dnsmasq },
  { name: /^(?:exim4?)$/, form: exim },
  flagged(/^cron$/, '-f'),
  flagged(/^crond$/, '-n', ['-f']),
  flagged(/^rsyslogd$/, '-n'),
  flagged(/^syslog-ng$/, '-F', ['--foreground']),
  flagged(/^named$/, '-f', ['-g']),
  flagged(/^dovecot$/, '-F'),
  flagged(/^proftpd$/, '--nodaemon', ['-n']),
  flagged(/^smbd$|^nmbd$/, '--foreground', ['-F']),
  flagged(/^chronyd$/, '-n', ['-d']),
  flagged(/^ntpd$/, '-n'),
  flagged(/^snmpd$/, '-f'),
  flagged(/^dropbear$/, '-F'),
  flagged(/^openvpn$/, '--nodaemon'),
  flagged(/^fcgiwrap$/, '-f'),
  {
    name: /^vsftpd$/,
    form: ({ argv }) => ({
      argv: withFlag(argv, '-obackground=NO'),
      directories: [{ path: '/run/vsftpd/empty', mode: 0o755 }],
    }),
  },
  {
    name: /^mosquitto$/,
    form: ({ argv }) => ({ argv: withoutOptions(argv, { '-d': false, '--daemon': false }) }),
  },
  {
    // where postfix.service does nothing, the real unit is postfix@-.service, whose program postmulti starts the same instance
    name: /^(?:postfix|postmulti)$/,
    form: ({ instance }) =>
      instance === undefined || instance === '-' ? { argv: ['/usr/sbin/postfix', 'start-fg'] } : undefined,
  },
]
