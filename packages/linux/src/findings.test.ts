import { describe, expect, it } from 'vitest'
import { cleanRootfs } from '@c2m/rootfs'
import type { RootfsEntry, StepContext } from '@c2m/plugin-api'
import { linuxFindings } from './findings.js'
import { findShell } from './container/shell.js'
import { findSecrets } from './secrets/secrets.js'
import { memoryRootfs, MemoryRootfs } from './testing/memory-rootfs.js'

const LIB = 'usr/lib/systemd/system'
const PASSWD =
  'root:x:0:0::/root:/bin/bash\nwww:x:33:33::/var/www:/usr/sbin/nologin\nann:x:1000:1000::/data/ann:/bin/sh\n'

function systemdMachine(files: Record<string, string | undefined> = {}): MemoryRootfs {
  return memoryRootfs({
    lib: '-> usr/lib',
    sbin: '-> usr/sbin',
    'usr/lib/systemd/systemd': 'x',
    'usr/sbin/init': '-> ../lib/systemd/systemd',
    [`${LIB}/default.target`]: '[Unit]\n',
    'bin/sh': 'x',
    'etc/passwd': PASSWD,
    'etc/group': 'root:x:0:\nwww:x:33:\nadm:x:4:\n',
    ...files,
  })
}

/** Of a boot loader that is known. */
const BOOT = { files: ['/boot/{grub,grub2}'], services: ['grub-common'] }

async function find(rootfs: MemoryRootfs) {
  const warnings: string[] = []
  const findings = await linuxFindings({
    rootfs,
    architecture: 'amd64',
    boot: BOOT,
    warn: (message) => warnings.push(message),
  })
  return { ...findings, warnings }
}

describe('a systemd service as a process', () => {
  const service = async (text: string, files: Record<string, string | undefined> = {}) => {
    const rootfs = systemdMachine({ [`${LIB}/a.service`]: `[Service]\n${text}\n`, 'usr/bin/app': 'x', ...files })
    const { service: ask, warnings } = await find(rootfs)
    return { process: await ask('a'), warnings }
  }

  it('has what an image can say', async () => {
    const { process, warnings } = await service(
      [
        'ExecStart=/usr/bin/app --name %n $OPTS',
        'User=www',
        'Group=adm',
        'WorkingDirectory=-/srv/app',
        'Environment=X=1 DB_PASSWORD=p',
        'EnvironmentFile=-/etc/default/a',
        'EnvironmentFile=-/etc/default/missing',
        'KillSignal=INT',
        'RuntimeDirectory=a a/b ../evil',
        'RuntimeDirectoryMode=2750',
        'ExecStartPre=/usr/bin/app --test',
        'ExecStartPre=/bin/mkdir -m 700 -p /run/pre',
        'ExecStartPre=-/usr/bin/app "make it"',
        'ExecStartPre=+/usr/bin/app as-root',
      ].join('\n'),
      {
        'etc/default/a': 'OPTS="-v -x"\nX=2\n',
        'usr/lib/tmpfiles.d/zz.conf': 'd /run/other\nd /run/www 0755 nobody - -\nf /run/a 0644 www\n',
        'usr/lib/tmpfiles.d/a.conf': 'd /run/tmp-a 0711 www adm -\n',
      },
    )
    expect(process).toEqual({
      entrypoint: [
        ...['/bin/sh', '-c', `set -e\n/usr/bin/app 'make it' || :\nexec "$@"`, 'sh'],
        ...['/usr/bin/app', '--name', 'a.service', '-v', '-x'],
      ],
      user: 'www:adm',
      workingDir: '/srv/app',
      env: { X: '2', DB_PASSWORD: 'p', OPTS: '-v -x', RUNTIME_DIRECTORY: '/run/a:/run/a/b' },
      stopSignal: 'SIGINT',
      directories: [
        { path: '/run/a', mode: 0o2750, uid: 33, gid: 4 },
        { path: '/run/a/b', mode: 0o2750, uid: 33, gid: 4 },
        { path: '/run/pre', mode: 0o700, uid: 0, gid: 0 },
        { path: '/run/tmp-a', mode: 0o711, uid: 33, gid: 4 },
      ],
    })
    expect(warnings.join('\n')).toMatch(
      /DB_PASSWORD will be readable[\s\S]*as-root.*left out|left out[\s\S]*DB_PASSWORD/,
    )
  })

  it.each([
    ['Type=forking\nExecStart=/usr/bin/app', /Type=forking.*not known; add a drop-in/],
    ['Type=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/app', /oneshot/],
    ['ExecStart=/usr/bin/nowhere', /nowhere is not in the machine/],
    ['ExecStart=/usr/bin/app\nUser=nobody-here', /no user "nobody-here"/],
    ['ExecStart=/usr/bin/app\nRootDirectory=/jail', /RootDirectory/],
    ['ExecStart=/usr/bin/app %m', /%m/],
    ['ExecStart=/usr/bin/app "open', /left open/],
    ['Type=simple', /no ExecStart/],
  ])('%s is refused', async (text, because) => {
    await expect(service(text)).rejects.toThrow(because)
  })

  it('refuses what is masked, missing, a template or no service', async () => {
    const { service: ask } = await find(
      systemdMachine({
        'etc/systemd/system/m.service': '-> /dev/null',
        [`${LIB}/t@.service`]: '[Service]\nExecStart=/bin/sh\n',
      }),
    )
    await expect(ask('m.service')).rejects.toThrow(/masked/)
    await expect(ask('no')).rejects.toThrow(/no such unit/)
    await expect(ask('t@')).rejects.toThrow(/template/)
    await expect(ask('a.socket')).rejects.toThrow(/only services/)
    await expect(ask('../../etc/x')).rejects.toThrow(/no such unit/)
  })
})

describe('ports', () => {
  it.each<[string, Record<string, string>, readonly string[]]>([
    [
      'nginx',
      {
        'etc/nginx/nginx.conf':
          'events {}\nhttp { include sites/*; include nginx.conf; # listen 99;\n log_format x "listen 98; {"; }',
        'etc/nginx/sites/a':
          'server { listen 80 default_server; listen [::]:80; listen 443 quic; listen unix:/run/x; }',
        'etc/nginx/sites/b': 'server { listen 127.0.0.1:8080; listen 10.0.0.1; listen 99999; }',
      },
      ['80/tcp', '443/udp', '8080/tcp'],
    ],
    [
      'apache2',
      {
        'etc/apache2/apache2.conf': 'IncludeOptional mods/*.load\nInclude ports.conf\n',
        'etc/apache2/mods/ssl.load': 'LoadModule ssl_module /x.so\n',
        'etc/apache2/ports.conf':
          'Listen 80\n<IfModule ssl_module>\n Listen 443\n</IfModule>\n<IfModule mod_gnutls.c>\nListen 444\n</IfModule>\n',
      },
      ['80/tcp', '443/tcp'],
    ],
    [
      'ssh',
      {
        'etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\nMatch User x\nPort 99\n',
        'etc/ssh/sshd_config.d/a.conf': 'Port 2222\n',
      },
      ['2222/tcp'],
    ],
    ['redis', { 'etc/redis/redis.conf': 'port 0\ntls-port 6380\nbind *\n' }, ['6380/tcp']],
    [
      'mysql',
      {
        'etc/mysql/my.cnf': '[client]\nport=1\n!includedir /etc/mysql/c/\n',
        'etc/mysql/c/a.cnf': '[mysqld]\nport = 3307\n',
      },
      ['3307/tcp'],
    ],
    ['nothing-known', {}, []],
  ])('of %s', async (name, files, expected) => {
    const { services } = await find(
      systemdMachine({
        [`${LIB}/${name}.service`]: '[Unit]\nDescription=bad\u001b[31m\n[Service]\nExecStart=/bin/sh\n',
        [`etc/systemd/system/default.target.wants/${name}.service`]: `-> /${LIB}/${name}.service`,
        ...files,
      }),
    )
    expect(services).toHaveLength(1)
    expect(services[0]).toMatchObject({ name: `${name}.service`, ports: expected })
    expect(services[0]?.description).toBe('bad [31m')
  })

  it('survives files of absurd size', async () => {
    class Huge extends MemoryRootfs {
      override async stat(path: string): Promise<RootfsEntry | undefined> {
        const entry = await super.stat(path)
        return entry?.type === 'file' && /nginx|passwd|fstab/.test(path) ? { ...entry, size: 1e10 } : entry
      }
    }
    const rootfs = new Huge()
    rootfs.add('etc/nginx/nginx.conf', 'x')
    rootfs.add('etc/passwd', PASSWD)
    rootfs.add('etc/fstab', 'x')
    rootfs.add('etc/init.d/nginx', '### BEGIN INIT INFO\n# Short-Description: web\n### END INIT INFO\n')
    rootfs.add('etc/rc2.d/S01nginx', '-> ../init.d/nginx')
    const { services, warnings } = await find(rootfs)
    expect(services).toMatchObject([{ name: 'nginx', role: 'application', ports: [] }])
    expect(warnings.join()).toMatch(/passwd.*too long|passwd.*more than/)
  })
})

describe('OpenRC', () => {
  const machine = () =>
    memoryRootfs({
      'sbin/openrc': 'x',
      'sbin/init': '-> /bin/busybox',
      'bin/busybox': 'x',
      'bin/sh': '-> busybox',
      'etc/passwd': PASSWD,
      'etc/group': 'www:x:33:\n',
      'etc/inittab':
        '::sysinit:/sbin/openrc sysinit\ntty1::respawn:/sbin/getty 38400 tty1\n::ctrlaltdel:/sbin/reboot\n',
      'etc/rc.conf': 'rc_sys=""\nunicode="YES"\n',
      'etc/runlevels/default/web': '-> /etc/init.d/web',
      'etc/runlevels/boot/hwclock': '-> /etc/init.d/hwclock',
      'etc/runlevels/default/gone': '-> /etc/init.d/gone',
      'etc/init.d/hwclock': '#!/sbin/openrc-run\n',
      'usr/bin/web': 'x',
      'etc/conf.d/web': 'PORT=8080 # a comment\nWEB_USER="www"\n',
      'etc/init.d/web': `#!/sbin/openrc-run
name="Web"
description="the \${name}"
: \${WEB_DIR:=/srv/$RC_SVCNAME}
command="/usr/bin/\${RC_SVCNAME}"
command_args="--port=\${PORT:-80} --title 'a b'"
command_user="$WEB_USER:www"
command_background=yes
directory="$WEB_DIR"
start_pre() {
	checkpath --directory --mode 0750 --owner $WEB_USER:www /run/$RC_SVCNAME
	command=evil
}
if [ -x /x ]; then
	other=1
fi
`,
      'etc/init.d/fork': '#!/sbin/openrc-run\ncommand="/usr/bin/web"\n',
      'etc/init.d/watched':
        '#!/sbin/openrc-run\nsupervisor=supervise-daemon\ncommand="/usr/bin/web"\ncommand_args_foreground="-f"\n',
      'etc/init.d/shell': '#!/sbin/openrc-run\ncommand="$(which web)"\n',
    })

  it('is read from runlevels and scripts, without a shell', async () => {
    const { services, service } = await find(machine())
    expect(services).toEqual([
      { name: 'hwclock', role: 'system', ports: [], volumes: [] },
      { name: 'web', description: 'the Web', role: 'application', ports: [], volumes: [] },
    ])
    // what a function might assign is not known, so it is not guessed
    await expect(service('web')).rejects.toThrow(/shell/)
    const rootfs = machine()
    rootfs.add('etc/init.d/web', (rootfs.show('etc/init.d/web') ?? '').replace('\tcommand=evil\n', ''))
    expect(await (await find(rootfs)).service('web')).toEqual({
      entrypoint: ['/usr/bin/web', '--port=8080', '--title', 'a b'],
      user: 'www',
      workingDir: '/srv/web',
      directories: [{ path: '/run/web', mode: 0o750, uid: 33, gid: 33 }],
    })
    expect((await service('watched')).entrypoint).toEqual(['/usr/bin/web', '-f'])
    await expect(service('fork')).rejects.toThrow(/command_args_foreground/)
    await expect(service('shell')).rejects.toThrow(/shell/)
    await expect(service('../passwd')).rejects.toThrow(/no such service/)
  })

  it('starts without terminals', async () => {
    const rootfs = machine()
    const [init] = (await find(rootfs)).inits
    expect(init).toMatchObject({ id: 'openrc', process: { entrypoint: ['/sbin/init'], stopSignal: 'SIGUSR2' } })
    for (const step of init?.steps ?? []) if (step.do === 'custom') await step.run({ rootfs } as unknown as StepContext)
    expect(rootfs.show('etc/inittab')).toMatch(/^::sysinit.*\n#tty1.*\n#::ctrl/)
    expect(rootfs.show('etc/rc.conf')).toBe('#rc_sys=""\nunicode="YES"\nrc_sys="docker"\nrc_provide="loopback net"\n')
  })
})

describe('inits', () => {
  it('has systemd with masks of what is there', async () => {
    const { inits } = await find(systemdMachine({ [`${LIB}/systemd-udevd.service`]: '[Unit]\n' }))
    expect(inits).toHaveLength(1)
    expect(inits[0]?.process).toEqual({
      entrypoint: ['/sbin/init'],
      env: { container: 'docker' },
      stopSignal: 'SIGRTMIN+3',
    })
    expect(inits[0]?.steps).toMatchObject([{ path: '/etc/systemd/system/systemd-udevd.service', target: '/dev/null' }])
  })
  it('finds a shell', async () => {
    expect(await findShell(systemdMachine())).toBe('/bin/sh')
    expect(await findShell(systemdMachine({ 'bin/bash': 'x' }))).toBe('/bin/bash')
    expect(await findShell(memoryRootfs())).toBeUndefined()
  })
})

describe('a boot loader', () => {
  it('is part of the machine: its services too, which need one', async () => {
    const unit = '[Unit]\nDescription=Count boots\n[Service]\nExecStart=/usr/bin/count\n'
    const { services, inits } = await find(
      systemdMachine({
        [`${LIB}/grub-common.service`]: unit,
        'etc/systemd/system/multi-user.target.wants/grub-common.service': `-> /${LIB}/grub-common.service`,
        [`${LIB}/default.target`]: '-> multi-user.target',
        [`${LIB}/multi-user.target`]: '[Unit]\n',
      }),
    )
    expect(services).toMatchObject([{ name: 'grub-common.service', role: 'system' }])
    expect(inits[0]?.steps.map(({ id }) => id)).toEqual(['systemd/mask/grub-common.service'])
  })
})

describe('cleaning', () => {
  it('takes what only a machine needs and nothing else', async () => {
    const swap = `${'\0'.repeat(4086)}SWAPSPACE2`
    const gone = {
      'boot/vmlinuz-6': 'k',
      'boot/grub/grub.cfg': 'g',
      'usr/lib/modules/6/x.ko': 'm',
      'usr/lib/firmware/f': 'f',
      vmlinuz: '-> boot/vmlinuz-6',
      'etc/fstab': '/the{swap} none swap sw 0 0\n/etc/hosts none swap sw 0 0\n',
      'the{swap}': swap,
      'etc/ssh/ssh_host_rsa_key': 'k',
      'var/lib/dbus/machine-id': 'm',
      'var/lib/systemd/random-seed': 'r',
      'etc/udev/rules.d/70-persistent-net.rules': 'r',
      'etc/netplan/50.yaml': 'n',
      'var/log/app/old.log.1': 'l',
      'var/log/journal/abc/system.journal': 'j',
      'var/log/wtmp.1': 'w',
      'tmp/x': 't',
      'run/x': 'r',
      'data/ann/.bash_history': 'h',
      'root/.python_history': 'h',
      'var/lib/docker/overlay2/x': 'd',
      'var/lib/c2m/added.json': '{}',
      'etc/systemd/system/multi-user.target.wants/c2m-verify.service': '-> x',
      'etc/shadow-': 's',
      'var/lib/dhcp/dhclient.eth0.leases': 'l',
    }
    const kept = {
      'etc/machine-id': '',
      'etc/hosts': 'h',
      'etc/default/grub': 'g',
      'var/log/app/app.log': '',
      'var/log/lastlog': '',
      'var/log/mysql/mysql-bin.000001': 'b',
      'var/lib/docker/volumes/v/_data/f': 'v',
      'var/lib/dhcp/dhcpd.leases': 'l',
      'data/ann/.ssh/id_rsa': 'k',
      'var/mail/ann': 'm',
      'srv/core/x': 'c',
      'home/x/notes': 'n',
    }
    const emptied = { 'etc/machine-id': 'abc', 'var/log/app/app.log': 'l', 'var/log/lastlog': 'l' }
    const rootfs = systemdMachine({ ...gone, ...kept, ...emptied })
    const { cleaning } = await find(rootfs)
    expect(new Set(cleaning.map(({ id }) => id)).size).toBe(cleaning.length)
    const { rootfs: cleaned } = await cleanRootfs(rootfs, cleaning)
    for (const path of Object.keys(gone)) expect([path, await cleaned.stat(path)]).toEqual([path, undefined])
    for (const [path, text] of Object.entries(kept))
      expect([path, (await cleaned.stat(path))?.size]).toEqual([path, text.length])
    for (const path of ['boot', 'tmp', 'run', 'var/log/app', 'var/log/journal', 'usr/lib/modules']) {
      expect((await cleaned.stat(path))?.type).toBe('directory')
    }
  })
})

describe('findSecrets', () => {
  it('finds them by path and by a look, and shows nothing of them', async () => {
    const pem = `-----BEGIN ${'PRIVATE'} KEY-----\nMII\n`
    const secret = {
      'etc/shadow': 'root:$y$j9T$abcdefgh$xyz:19000:0:99999:7:::\n',
      'etc/ssl/private/site.key': pem,
      'data/ann/.aws/credentials': '[default]\naws_secret_access_key = x\n',
      'data/ann/.bash_history': 'mysql -psecret\n',
      'root/.docker/config.json': '{"auths":{"r":{"auth":"eA=="}}}',
      'srv/app/.env': 'DB_PASSWORD=x\n',
      'etc/krb5.keytab': 'k',
      'var/lib/cloud/instance/user-data.txt': '#cloud-config',
      'root/.git-credentials': 'x',
    }
    const harmless = {
      'etc/shadow-': 'root:*:19000:0:99999:7:::\nann:!:19000::::::\nbob:!!:1::::::\n',
      'etc/passwd-': PASSWD,
      'etc/ssl/certs/ca.pem': '-----BEGIN CERTIFICATE-----\n',
      'usr/share/doc/openssl/demo.key': pem,
      'srv/app/node_modules/tls/test/server.key': pem,
      'srv/app/.env.example': 'DB_PASSWORD=x\n',
      'data/ann/.docker/config.json': '{"credsStore":"pass"}',
      'root/.ssh/id_rsa.pub': 'ssh-rsa x',
      'root/.bash_history': '',
    }
    const found = []
    for await (const one of findSecrets(memoryRootfs({ ...secret, ...harmless }))) found.push(one)
    expect(found.map(({ path }) => path).sort()).toEqual(Object.keys(secret).sort())
    expect(JSON.stringify(found)).not.toMatch(/psecret|MII|eA==/)
  })
})
