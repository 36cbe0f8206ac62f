import { splitWords } from '../../systemd/words.js'
import { withoutOptions, type Foreground, type ForegroundForm, type Start } from './form.js'

const POSTGRES_STOP = 'SIGINT'

/**
 * postgresql-common's cluster VERSION-NAME has its configuration in /etc/postgresql and its socket in /run/postgresql; elsewhere pg_ctl
 * has the data directory. INT is PostgreSQL's fast shutdown (postgres(1)), which does not wait for clients.
 */
async function postgresql(start: Start): Promise<Foreground | undefined> {
  const { argv, reader, forks } = start
  const program = argv[0] ?? ''
  if (program.endsWith('/pg_ctlcluster') || !forks) {
    const [, version = '', name = ''] = /^([0-9.]+)-(.+)$/.exec(start.instance ?? (await onlyCluster(start))) ?? []
    if (version !== '') return commonCluster(start, version, name)
  }
  if (program.endsWith('/pg_ctl')) {
    const data = argv[argv.indexOf('-D') + 1]
    const options = argv.includes('-o') ? splitWords(argv[argv.indexOf('-o') + 1] ?? '').map(({ text }) => text) : []
    if (!argv.includes('-D') || data === undefined) return undefined
    return {
      argv: [program.replace(/pg_ctl$/, 'postgres'), '-D', data, ...options],
      stopSignal: POSTGRES_STOP,
      directories: [{ path: '/run/postgresql', mode: 0o2775, user: 'postgres', group: 'postgres' }],
    }
  }
  if (!/\/post(?:gres|master)$/.test(program)) return undefined
  const path = (await reader.exists('/run/postgresql')) ? '/run/postgresql' : '/var/run/postgresql'
  return {
    argv,
    stopSignal: POSTGRES_STOP,
    directories: [{ path, mode: 0o2775, user: 'postgres', group: 'postgres' }],
  }
}

/** postgresql-common's postgresql.service itself does nothing: it stands for all clusters. */
async function onlyCluster({ reader }: Start): Promise<string> {
  const clusters = await reader.matching('/etc/postgresql/*/*/postgresql.conf')
  if (clusters.length > 1) {
    const names = clusters.map((path) => `postgresql@${path.split('/').slice(3, 5).join('-')}.service`)
    throw new Error(`it stands for several clusters; name one of ${names.join(', ')}`)
  }
  return (clusters[0] ?? '').split('/').slice(3, 5).join('-')
}

async function commonCluster({ reader }: Start, version: string, name: string): Promise<Foreground> {
  const configuration = `/etc/postgresql/${version}/${name}/postgresql.conf`
  const text = (await reader.text(configuration)) ?? ''
  const data = /^[ \t]*data_directory[ \t=]+'([^'\n]+)'/m.exec(text)?.[1] ?? `/var/lib/postgresql/${version}/${name}`
  // of clusters before version 15
  const statistics = /^[ \t]*stats_temp_directory[ \t=]+'([^'\n]+)'/m.exec(text)?.[1]
  return {
    argv: [`/usr/lib/postgresql/${version}/bin/postgres`, '-D', data, '-c', `config_file=${configuration}`],
    user: 'postgres',
    stopSignal: POSTGRES_STOP,
    directories: [
      { path: '/run/postgresql', mode: 0o2775, user: 'postgres', group: 'postgres' },
      ...(statistics === undefined ? [] : [{ path: statistics, mode: 0o750, user: 'postgres', group: 'postgres' }]),
    ],
  }
}

const MYSQL_DIRECTORY = { path: '/run/mysqld', mode: 0o755, user: 'mysql' }

/** Its unit may start mariadbd from a shell that looks for a Galera cluster's position; a single server needs none. */
function mysql({ argv, reader }: Start): Promise<Foreground | undefined> | Foreground {
  const program = argv[0] ?? ''
  if (/\/sh$/.test(program) || /\/(?:init\.d|rc\.d)\//.test(program)) return findMysql(reader)
  return { argv: withoutOptions(argv, { '--daemonize': false, '--pid-file': true }), directories: [MYSQL_DIRECTORY] }
}

async function findMysql(reader: Start['reader']): Promise<Foreground | undefined> {
  for (const path of ['/usr/sbin/mariadbd', '/usr/sbin/mysqld', '/usr/libexec/mariadbd', '/usr/libexec/mysqld']) {
    if (await reader.exists(path)) return { argv: [path], user: 'mysql', directories: [MYSQL_DIRECTORY] }
  }
  return undefined
}

export const DATABASE_FORMS: readonly ForegroundForm[] = [
  { name: /^(?:postgresql[\d.-]*|pg_ctl|pg_ctlcluster|postgres|postmaster)$/, form: postgresql },
  { name: /^(?:mysqld?|mariadbd?|mysqld_safe)$/, form: mysql },
  {
    name: /^(?:redis-server|redis-sentinel|valkey-server)$/,
    // the last word counts, whatever the configuration file says
    form: ({ argv }) => ({
      argv: [...withoutOptions(argv, { '--daemonize': true, '--supervised': true }), '--daemonize', 'no'],
    }),
  },
  { name: /^mongod$/, form: ({ argv }) => ({ argv: withoutOptions(argv, { '--fork': false }) }) },
  {
    name: /^memcached$/,
    form: ({ argv }) => ({ argv: withoutOptions(argv, { '-d': false, '--daemon': false, '-P': true }) }),
  },
  {
    name: /^slapd$/,
    // any debug level keeps it in the foreground
    form: ({ argv, forks }) => (forks ? { argv: [...argv, '-d', '0'] } : undefined),
  },
]
