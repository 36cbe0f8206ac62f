import type { ConfigurationReader } from '../../files/configuration-reader.js'
import { readShellAssignments } from '../../files/shell-assignments.js'
import { withFlag, withoutOptions, type Foreground, type ForegroundForm, type Start } from './form.js'

/** nginx(8): -g sets global directives; a second `daemon` would be an error. */
function nginx({ argv }: Start): Foreground {
  const [program = '', ...rest] = argv
  const words: string[] = []
  const directives: string[] = []
  for (let at = 0; at < rest.length; at++) {
    if (rest[at] === '-g') directives.push(...(rest[++at] ?? '').split(';').map((one) => one.trim()))
    else words.push(rest[at]!)
  }
  const kept = directives.filter((one) => one !== '' && !/^(?:daemon|master_process)\s/.test(one))
  const global = ['daemon off', ...kept].map((one) => `${one};`).join(' ')
  return { argv: [program, ...words, '-g', global], stopSignal: 'SIGQUIT' }
}

const APACHE_VARIABLES = /^(?:APACHE_|LANG$|HTTPD_)/

/**
 * An apachectl that knows apache2 reads /etc/apache2/envvars and starts apache2, but as a child that no signal reaches; so apache2 itself
 * with these variables. WINCH is its graceful stop.
 */
async function apache(start: Start): Promise<Foreground | undefined> {
  const { argv, reader, env } = start
  const program = argv[0] ?? ''
  const isControl = /(?:apache2ctl|apachectl)$/.test(program) || program.startsWith('/etc/')
  const hasApache2 = await reader.exists('/usr/sbin/apache2')
  if (hasApache2 && (isControl || program.endsWith('/apache2'))) return apache2(reader, env, start.instance)
  if (isControl) return { argv: ['/usr/sbin/httpd', '-DFOREGROUND'], stopSignal: 'SIGWINCH' }
  const stays = withFlag(withoutOptions(argv, { '-k': true }), '-DFOREGROUND', ['-DNO_DETACH', '-X'])
  return { argv: stays, stopSignal: 'SIGWINCH' }
}

async function apache2(
  reader: ConfigurationReader,
  env: ReadonlyMap<string, string>,
  instance: string | undefined,
): Promise<Foreground> {
  const folder = instance === undefined ? '/etc/apache2' : `/etc/apache2-${instance}`
  const suffix = instance === undefined ? '' : `-${instance}`
  const known = { values: new Map([['SUFFIX', suffix]]), unknown: new Set<string>(), exported: new Set<string>() }
  const { values } = readShellAssignments(
    ((await reader.text(`${folder}/envvars`)) ?? '').replace(/^[ \t]*SUFFIX=.*$/gm, ''),
    known,
  )
  const variables = new Map([
    ['APACHE_CONFDIR', folder],
    ['APACHE_RUN_USER', 'www-data'],
    ['APACHE_RUN_GROUP', 'www-data'],
    ['APACHE_PID_FILE', `/var/run/apache2${suffix}/apache2.pid`],
    ['APACHE_RUN_DIR', `/var/run/apache2${suffix}`],
    ['APACHE_LOCK_DIR', `/var/lock/apache2${suffix}`],
    ['APACHE_LOG_DIR', `/var/log/apache2${suffix}`],
    ...[...env, ...values].filter(([name]) => APACHE_VARIABLES.test(name)),
  ])
  variables.delete('APACHE_STARTED_BY_SYSTEMD')
  return {
    argv: ['/usr/sbin/apache2', '-d', folder, '-DFOREGROUND'],
    env: Object.fromEntries(variables),
    stopSignal: 'SIGWINCH',
    directories: [
      { path: variables.get('APACHE_RUN_DIR') ?? '', mode: 0o755 },
      { path: variables.get('APACHE_LOCK_DIR') ?? '', mode: 0o755, user: variables.get('APACHE_RUN_USER') },
      { path: variables.get('APACHE_LOG_DIR') ?? '', mode: 0o750, group: 'adm' },
    ],
  }
}

export const WEB_FORMS: readonly ForegroundForm[] = [
  { name: /^(?:nginx|openresty)$/, form: nginx },
  { name: /^(?:apache2|apache2ctl|apachectl|httpd)$/, form: apache },
  {
    name: /^lighttpd$/,
    form: ({ argv }) => ({ argv: withFlag(argv, '-D') }),
  },
  {
    // -db: no daemon mode; -W and -Ws stay in the foreground
    name: /^haproxy$/,
    form: ({ argv }) => ({ argv: withFlag(withoutOptions(argv, { '-D': false, '-sf': true }), '-db', ['-W', '-Ws']) }),
  },
  {
    name: /^php-fpm[\d.]*$|^php[\d.]*-fpm$/,
    form: ({ argv }) => ({
      argv: withFlag(withoutOptions(argv, { '--daemonize': false, '-D': false }), '--nodaemonize', ['-F']),
      stopSignal: 'SIGQUIT',
    }),
  },
  {
    name: /^(?:tomcat\d*|catalina\.sh|startup\.sh)$/,
    form: ({ argv }) => {
      const program = argv[0] ?? ''
      if (!/(?:catalina|startup)\.sh$/.test(program)) return undefined
      return { argv: [program.replace(/startup\.sh$/, 'catalina.sh'), 'run'] }
    },
  },
  {
    name: /^squid$/,
    form: ({ argv }) => ({ argv: withFlag(withoutOptions(argv, { '-sYC': false }), '--foreground', ['-N']) }),
  },
  {
    name: /^varnishd$/,
    form: ({ argv }) => ({ argv: withFlag(argv, '-F') }),
  },
]
