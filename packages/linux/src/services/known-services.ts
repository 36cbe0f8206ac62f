import type { ConfigurationReader } from '../files/configuration-reader.js'
import { listener, type Listener } from './listener.js'
import { apacheListeners } from './ports/apache.js'
import { mysqlListeners, postgresqlListeners, redisListeners } from './ports/databases.js'
import { nginxListeners } from './ports/nginx.js'
import {
  eximListeners,
  haproxyListeners,
  memcachedListeners,
  mongodbListeners,
  mosquittoListeners,
  phpFpmListeners,
  tomcatListeners,
  vsftpdListeners,
} from './ports/others.js'
import { sshdListeners } from './ports/sshd.js'

type FindListeners = (
  reader: ConfigurationReader,
  instance: string | undefined,
) => Promise<readonly (Listener | undefined)[]>

/** What is known of a program that many machines run. */
interface KnownService {
  /** Of the service without instance and suffix. */
  readonly name: RegExp
  readonly listeners?: FindListeners
  /** Directories of data: patterns with '*'. */
  readonly volumes?: readonly string[]
}

function fixed(...ports: readonly `${number}/${'tcp' | 'udp'}`[]): FindListeners {
  return async () =>
    ports.map((text) => {
      const [port, protocol] = text.split('/')
      return listener(Number(port), protocol === 'udp' ? 'udp' : 'tcp')
    })
}

const KNOWN: readonly KnownService[] = [
  { name: /^(?:nginx|openresty|tengine)$/, listeners: nginxListeners },
  { name: /^(?:apache2|httpd)$/, listeners: apacheListeners },
  { name: /^(?:lighttpd)$/, listeners: fixed('80/tcp') },
  { name: /^caddy$/, listeners: fixed('80/tcp', '443/tcp', '443/udp'), volumes: ['/var/lib/caddy'] },
  { name: /^haproxy$/, listeners: haproxyListeners },
  { name: /^(?:sshd?|openssh|openssh-server)$/, listeners: sshdListeners },
  { name: /^dropbear$/, listeners: fixed('22/tcp') },
  {
    name: /^postgresql(?:-?[\d.]+)?$/,
    listeners: postgresqlListeners,
    volumes: ['/var/lib/postgresql', '/var/lib/pgsql'],
  },
  { name: /^(?:mysqld?|mariadbd?)$/, listeners: mysqlListeners, volumes: ['/var/lib/mysql'] },
  {
    name: /^(?:redis|redis-server|valkey|valkey-server)$/,
    listeners: redisListeners,
    volumes: ['/var/lib/redis', '/var/lib/valkey'],
  },
  { name: /^mongo(?:d|db)$/, listeners: mongodbListeners, volumes: ['/var/lib/mongo', '/var/lib/mongodb'] },
  { name: /^memcached$/, listeners: memcachedListeners },
  { name: /^mosquitto$/, listeners: mosquittoListeners, volumes: ['/var/lib/mosquitto'] },
  { name: /^tomcat\d*$/, listeners: tomcatListeners, volumes: ['/var/lib/tomcat*/webapps'] },
  { name: /^php[\d.]*-fpm[\d.]*$/, listeners: phpFpmListeners },
  { name: /^vsftpd$/, listeners: vsftpdListeners, volumes: ['/srv/ftp'] },
  { name: /^proftpd$/, listeners: fixed('21/tcp'), volumes: ['/srv/ftp'] },
  { name: /^exim4?$/, listeners: eximListeners, volumes: ['/var/spool/exim4', '/var/spool/exim', '/var/mail'] },
  {
    name: /^(?:postfix|sendmail|opensmtpd)$/,
    listeners: fixed('25/tcp'),
    volumes: ['/var/spool/postfix', '/var/mail'],
  },
  {
    name: /^dovecot$/,
    listeners: fixed('110/tcp', '143/tcp', '993/tcp', '995/tcp'),
    volumes: ['/var/mail', '/var/vmail'],
  },
  { name: /^(?:named|bind9?|unbound|pdns|pdns-recursor|knot|nsd)$/, listeners: fixed('53/tcp', '53/udp') },
  { name: /^dnsmasq$/, listeners: fixed('53/tcp', '53/udp') },
  {
    name: /^(?:isc-dhcp-server|dhcpd|kea-dhcp4-server)$/,
    listeners: fixed('67/udp'),
    volumes: ['/var/lib/dhcp', '/var/lib/kea'],
  },
  { name: /^(?:slapd|389-ds)$/, listeners: fixed('389/tcp'), volumes: ['/var/lib/ldap'] },
  { name: /^(?:smbd|smb|samba)$/, listeners: fixed('139/tcp', '445/tcp'), volumes: ['/var/lib/samba', '/srv/samba'] },
  { name: /^(?:nfs-server|nfs-kernel-server)$/, listeners: fixed('2049/tcp'), volumes: ['/srv/nfs', '/exports'] },
  { name: /^(?:squid3?)$/, listeners: fixed('3128/tcp'), volumes: ['/var/spool/squid'] },
  { name: /^varnish$/, listeners: fixed('6081/tcp') },
  { name: /^cups$/, listeners: fixed('631/tcp') },
  { name: /^snmpd$/, listeners: fixed('161/udp') },
  { name: /^rabbitmq-server$/, listeners: fixed('4369/tcp', '5672/tcp', '25672/tcp'), volumes: ['/var/lib/rabbitmq'] },
  {
    name: /^(?:elasticsearch|opensearch)$/,
    listeners: fixed('9200/tcp', '9300/tcp'),
    volumes: ['/var/lib/elasticsearch', '/var/lib/opensearch'],
  },
  { name: /^kibana$/, listeners: fixed('5601/tcp') },
  { name: /^grafana(?:-server)?$/, listeners: fixed('3000/tcp'), volumes: ['/var/lib/grafana'] },
  { name: /^prometheus$/, listeners: fixed('9090/tcp'), volumes: ['/var/lib/prometheus'] },
  { name: /^prometheus-node-exporter$/, listeners: fixed('9100/tcp') },
  { name: /^influxdb$/, listeners: fixed('8086/tcp'), volumes: ['/var/lib/influxdb'] },
  { name: /^(?:etcd)$/, listeners: fixed('2379/tcp', '2380/tcp'), volumes: ['/var/lib/etcd'] },
  { name: /^(?:consul)$/, listeners: fixed('8500/tcp', '8600/udp'), volumes: ['/var/lib/consul', '/opt/consul'] },
  { name: /^vault$/, listeners: fixed('8200/tcp'), volumes: ['/opt/vault/data'] },
  { name: /^jenkins$/, listeners: fixed('8080/tcp'), volumes: ['/var/lib/jenkins'] },
  { name: /^(?:gitea|forgejo)$/, listeners: fixed('3000/tcp'), volumes: ['/var/lib/gitea', '/var/lib/forgejo'] },
  { name: /^(?:couchdb)$/, listeners: fixed('5984/tcp'), volumes: ['/var/lib/couchdb', '/opt/couchdb/data'] },
  { name: /^(?:cassandra)$/, listeners: fixed('7000/tcp', '9042/tcp'), volumes: ['/var/lib/cassandra'] },
  { name: /^(?:clickhouse-server)$/, listeners: fixed('8123/tcp', '9000/tcp'), volumes: ['/var/lib/clickhouse'] },
  { name: /^(?:openvpn|openvpn-server)$/, listeners: fixed('1194/udp') },
  { name: /^minidlna$/, listeners: fixed('8200/tcp', '1900/udp') },
  { name: /^(?:zookeeper)$/, listeners: fixed('2181/tcp'), volumes: ['/var/lib/zookeeper'] },
]

/** 'postgresql@15-main.service' → 'postgresql'. */
export function serviceStem(name: string): string {
  return name.replace(/\.service$/, '').split('@', 1)[0]!
}

export async function knownListeners(reader: ConfigurationReader, name: string): Promise<readonly Listener[]> {
  const stem = serviceStem(name)
  const instance = name.replace(/\.service$/, '').slice(stem.length + 1) || undefined
  const known = KNOWN.find((one) => one.name.test(stem))
  const found = (await known?.listeners?.(reader, instance)) ?? []
  return found.filter((one) => one !== undefined)
}

/** Those that exist: absolute paths, as the machine spells them. */
export async function knownVolumes(reader: ConfigurationReader, name: string): Promise<readonly string[]> {
  const stem = serviceStem(name)
  const patterns = KNOWN.find((one) => one.name.test(stem))?.volumes ?? []
  const found = new Set<string>()
  for (const pattern of patterns) {
    for (const path of await reader.matching(pattern)) {
      if ((await reader.type(path)) === 'directory') found.add(path)
    }
  }
  return [...found]
}
