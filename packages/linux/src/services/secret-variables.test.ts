import { describe, expect, it } from 'vitest'
import { linuxFindings } from '../findings.js'
import { memoryRootfs } from '../testing/memory-rootfs.js'

const UNIT = `[Service]
ExecStart=/usr/bin/app --password=\${DB_PASSWORD} --port \${PORT} --host=\${HOST}
ExecStartPre=/usr/bin/app migrate \${DATABASE_URL}
Environment=DB_PASSWORD=hunter2 HOST=h DB_PASSWORD_FILE=/run/secrets/db REGION=eu
EnvironmentFile=/opt/app/.env
EnvironmentFile=-/etc/default/app
`

async function service(excludeSecrets: boolean, files: Record<string, string> = {}) {
  const warnings: string[] = []
  const rootfs = memoryRootfs({
    'usr/lib/systemd/systemd': 'x',
    'usr/lib/systemd/system/app.service': UNIT,
    'opt/app/.env': 'DATABASE_URL=postgres://u:hunter2@db/x\nPORT=80\nREGION=us\n',
    'etc/default/app': 'REGION=asia\n',
    'usr/bin/app': 'x',
    'bin/sh': 'x',
    ...files,
  })
  const task = { rootfs, architecture: 'amd64', excludeSecrets, warn: (message: string) => warnings.push(message) }
  return { process: await (await linuxFindings(task)).service('app'), warnings: warnings.join('\n') }
}

describe('variables of a systemd service that are secrets', () => {
  it('are warned of by their names and by the files that have them', async () => {
    const { process, warnings } = await service(false)
    expect(process.env).toEqual({
      DB_PASSWORD: 'hunter2',
      HOST: 'h',
      DB_PASSWORD_FILE: '/run/secrets/db',
      DATABASE_URL: 'postgres://u:hunter2@db/x',
      PORT: '80',
      REGION: 'asia',
    })
    expect(process.entrypoint.slice(-4)).toEqual(['--password=hunter2', '--port', '80', '--host=h'])
    expect(warnings).toMatch(/app\.service: DB_PASSWORD, DATABASE_URL, PORT will be readable/)
    expect(warnings).not.toContain('hunter2')
  })

  it('are left out when asked, with a word on each', async () => {
    const { process, warnings } = await service(true)
    expect(process.env).toEqual({ HOST: 'h', DB_PASSWORD_FILE: '/run/secrets/db', REGION: 'asia' })
    const [shell, option, script, ...rest] = process.entrypoint
    expect([shell, option, ...rest]).toEqual(['/bin/sh', '-c', 'sh'])
    expect(script).toMatch(/\nexec \/usr\/bin\/app --password="\$\{DB_PASSWORD\}" --port "\$\{PORT\}" --host=h "\$@"$/)
    expect(process.entrypoint[2]).toContain('\n/usr/bin/app migrate "${DATABASE_URL}"\n')
    expect(JSON.stringify(process)).not.toContain('hunter2')
    expect(warnings).toMatch(
      /DB_PASSWORD, DATABASE_URL, PORT may hold secrets and are not in the image's configuration/,
    )
    expect(warnings).toMatch(/files that set DB_PASSWORD do not look like secrets and are in the image/)
    expect(warnings).toMatch(/needs DATABASE_URL, DB_PASSWORD, PORT: a container without them does not start/)
    expect(warnings).not.toContain('hunter2')
  })

  it('cannot be put in without a shell', async () => {
    const { process, warnings } = await service(true, { 'bin/sh': '-> nowhere' })
    expect(process.entrypoint).toEqual(['/usr/bin/app', '--password=', '--port', '', '--host=h'])
    expect(warnings).toMatch(/there is no \/bin\/sh that could put them in/)
  })
})

describe('variables of an OpenRC service', () => {
  const openrc = async (excludeSecrets: boolean) => {
    const warnings: string[] = []
    const rootfs = memoryRootfs({
      'sbin/openrc': 'x',
      'sbin/init': '-> /bin/busybox',
      'bin/busybox': 'x',
      'bin/sh': '-> busybox',
      'etc/inittab': '::sysinit:/sbin/openrc sysinit\n',
      'usr/bin/web': 'x',
      'etc/conf.d/web': 'export DBURL=zz\nDB_PASSWORD=hunter2\nLOCAL=1\nexport WHEN="$(date)"\n',
      'etc/init.d/web': `#!/sbin/openrc-run
export FOO=bar LINK="pg://$DB_PASSWORD"
API_KEY=k
export API_KEY
command=/usr/bin/web
command_args="--password=$DB_PASSWORD"
command_background=yes
`,
    })
    const task = { rootfs, architecture: 'amd64', excludeSecrets, warn: (message: string) => warnings.push(message) }
    return { process: await (await linuxFindings(task)).service('web'), warnings: warnings.join('\n') }
  }

  it('are its process’s when they are exported', async () => {
    const { process, warnings } = await openrc(false)
    expect(process.env).toEqual({ DBURL: 'zz', FOO: 'bar', LINK: 'pg://hunter2', API_KEY: 'k' })
    expect(process.entrypoint).toEqual(['/usr/bin/web', '--password=hunter2'])
    expect(warnings).toMatch(/only a shell could tell WHEN/)
    expect(warnings).toMatch(/API_KEY will be readable/)
  })

  it('stay out when they are secrets', async () => {
    const { process, warnings } = await openrc(true)
    expect(process.env).toEqual({ DBURL: 'zz', FOO: 'bar' })
    expect(process.entrypoint[2]).toContain('exec /usr/bin/web --password="${DB_PASSWORD}" "$@"')
    expect(warnings).toMatch(/LINK, API_KEY, DB_PASSWORD may hold secrets/)
    expect(JSON.stringify(process)).not.toMatch(/hunter2|\\u0000/)
  })
})
