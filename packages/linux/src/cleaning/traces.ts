import type { CleaningRule } from '@c2m/plugin-api'
import { globOf } from './glob.js'

const LOGIN_RECORDS = '/var/log/{wtmp,btmp,lastlog,faillog,tallylog}'
/** What logrotate and its like name old files: '.1', '.2.gz', '-20260101', '.old'. */
const ROTATED = '{*.[0-9],*.[0-9][0-9],*.{gz,xz,bz2,zst,old},*-20[0-9][0-9][0-9][0-9][0-9][0-9]*}'
const HISTORIES =
  '.{{bash,zsh,ash,sh,ksh,mksh,python,irb,pry,php,mysql,mariadb,psql,sqlite,rediscli,node_repl,mongo,dbshell,influx,R}_history*,' +
  'histfile,history,lesshst,viminfo,nviminfo,wget-hsts,rnd,Xauthority,ICEauthority,sudo_as_admin_successful,' +
  'local/share/{recently-used.xbel,fish/fish_history},config/procps/toprc.bak,selected_editor}'
const HISTORY_FOLDERS = '.{bash_sessions,zsh_sessions,local/share/nano}'

/** What a machine leaves behind while it runs. @param places homes, relative paths */
export function traceRules(places: readonly string[]): readonly CleaningRule[] {
  return [
    {
      id: 'logs',
      // directories stay with their owners: services do not start without them
      summary: 'logs: old ones go, current ones are emptied',
      byDefault: true,
      truncate: ['/var/log/**'],
      empty: ['/var/log/journal'],
      remove: ['/var/log/{installer,anaconda}', '/var/lib/logrotate{,.status,/status}'],
      removeFiles: [`/var/log/**/${ROTATED}`],
      // MySQL's binary logs are data: with them a database is restored
      except: [`${LOGIN_RECORDS}{,.*,-*}`, '/var/log/{mysql,mariadb}/*bin*'],
    },
    {
      id: 'login-records',
      summary: 'who logged in; sparse files that look huge',
      byDefault: true,
      truncate: [LOGIN_RECORDS],
      removeFiles: [`${LOGIN_RECORDS}{.*,-*}`],
      remove: ['/var/lib/{wtmpdb,lastlog}/*', '/var/account/*', '/var/log/account/*', '/var/{lib,db}/sudo/{ts,*/*}'],
    },
    { id: 'temporary', summary: 'temporary files', byDefault: true, empty: ['/tmp', '/var/tmp'] },
    {
      id: 'caches',
      summary: 'caches that programs fill again',
      byDefault: true,
      empty: ['/var/cache/{man,fontconfig,PackageKit,app-info,swcatalog,fwupd,snapd,locate,cups,httpd,nginx,samba}'],
      remove: ['/var/cache/ldconfig/aux-cache', '/var/lib/{mlocate,plocate}/*.db', '/var/lib/systemd/catalog/database'],
    },
    {
      id: 'histories',
      summary: 'what people typed: histories of shells and programs',
      byDefault: true,
      remove: places.map((home) => `${globOf(home)}/${HISTORY_FOLDERS}`),
      removeFiles: places.map((home) => `${globOf(home)}/${HISTORIES}`),
    },
    {
      id: 'core-dumps',
      summary: 'crashes and their memory',
      byDefault: true,
      remove: ['/var/cores/*'],
      removeFiles: ['/{,root/}core{,.[0-9]*}'],
      empty: [
        '/var/crash',
        '/var/lib/systemd/{coredump,pstore}',
        '/var/lib/apport/coredump',
        '/var/spool/abrt',
        '/var/lib/kdump',
      ],
    },
    {
      id: 'runtime',
      // a runtime mounts over most of them
      summary: 'what a running machine keeps in /run, /dev, /proc and /sys',
      byDefault: true,
      empty: ['/{run,dev,proc,sys}', '/var/{run,lock}'],
    },
    {
      id: 'backups',
      summary: 'backup copies of account files',
      byDefault: true,
      remove: [
        '/etc/{passwd,group,shadow,gshadow,subuid,subgid}-',
        '/etc/.pwd.lock',
        '/etc/{passwd,group,shadow,gshadow}.{bak,OLD,lock}',
      ],
    },
    {
      id: 'snapd',
      summary: "snapd's seed and cache: snaps do not run in containers",
      byDefault: true,
      empty: ['/var/lib/snapd/{seed,cache,snaps}'],
    },
    {
      id: 'container-engines',
      // never usable inside; volumes are data and have a rule of their own
      summary: 'images and containers of Docker, containerd and their like',
      byDefault: true,
      remove: ['/var/lib/{docker,containerd}/*', '/var/lib/containers/{storage,cache}/*', '/var/lib/{kubelet,cni}/*'],
      except: ['/var/lib/docker/volumes', '/var/lib/containers/storage/volumes'],
    },
  ]
}

/** What may be somebody's data, and so goes only when asked for. @param places homes, relative paths */
export function dataRules(places: readonly string[]): readonly CleaningRule[] {
  const inHomes = (pattern: string) => places.map((home) => `${globOf(home)}/${pattern}`)
  return [
    {
      id: 'container-volumes',
      summary: "volumes of the machine's own containers",
      byDefault: false,
      empty: ['/var/lib/docker/volumes', '/var/lib/containers/storage/volumes'],
    },
    {
      id: 'mail',
      summary: "people's mail",
      byDefault: false,
      remove: ['/var/{mail,spool/mail}/*', ...inHomes('Maildir')],
    },
    {
      id: 'cron-jobs',
      summary: "people's jobs of cron and at",
      byDefault: false,
      remove: ['/var/spool/{cron,cron/crontabs,cron/tabs,at,cron/atjobs,cron/atspool,atjobs,atspool}/*'],
      except: ['/var/spool/cron/{crontabs,tabs,atjobs,atspool}', '/var/spool/at/spool'],
    },
    { id: 'ssh-user-keys', summary: "people's SSH keys and whom they know", byDefault: false, remove: inHomes('.ssh') },
    {
      id: 'kerberos',
      summary: "the machine's place in a Kerberos realm or domain",
      byDefault: false,
      remove: ['/etc/krb5.keytab', '/var/lib/sss/{db,pipes,secrets}/*', '/var/lib/samba/private/secrets.tdb'],
    },
    { id: 'home-caches', summary: 'caches in homes', byDefault: false, empty: inHomes('.cache') },
  ]
}
