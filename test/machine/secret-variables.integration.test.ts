import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { vm2container } from './support/convert.js'
import { lacks, shell } from './support/tools.js'

const UNIT = `[Service]
ExecStart=/usr/bin/app --password=\${DB_PASSWORD}
Environment=DB_PASSWORD=hunter2 REGION=eu
EnvironmentFile=/opt/app/.env
DynamicUser=yes
StateDirectory=app
`
const FILES: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
  'etc/group': 'root:x:0:\n',
  'etc/systemd/system/user-app.service': UNIT,
  'usr/lib/systemd/systemd': 'x',
  'usr/lib/systemd/system/default.target': '[Unit]\nWants=user-app.service\n',
  'opt/app/.env': 'DATABASE_URL=postgres://u:hunter2@db/x\n',
  'usr/bin/app': 'x',
  'bin/sh': 'x',
  'var/lib/private/app/data': 'd',
}

describe.skipIf(lacks('a service with secrets', { jq: 'jq' }, 'root'))('a service whose variables are secrets', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-variables-'))
    const tree = join(folder, 'tree')
    for (const [path, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(tree, path)), { recursive: true })
      await writeFile(join(tree, path), text)
    }
    await symlink('private/app', join(tree, 'var/lib/app'))
    await chown(join(tree, 'var/lib/private/app'), 63_521, 63_521)
    await chmod(join(tree, 'var/lib/private'), 0o700)
    await shell('tar -C "$1" -cf "$2" .', tree, join(folder, 'root.tar'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function convert(...flags: string[]) {
    const layout = `${folder}/layout${flags.join('')}`
    const { warnings } = await vm2container([join(folder, 'root.tar'), '-o', `oci:${layout}`, ...flags])
    const blob = 'cd "$1/blobs/sha256"; of() { echo "${1#sha256:}"; }'
    const manifest = 'm=$(of "$(jq -r ".manifests[0].digest" ../../index.json)")'
    const config = await shell(`${blob}; ${manifest}; cat "$(of "$(jq -r .config.digest "$m")")"`, layout)
    const list = await shell(`${blob}; ${manifest}; tar -tvzf "$(of "$(jq -r '.layers[0].digest' "$m")")"`, layout)
    return { warnings: warnings.join('\n'), config, list }
  }

  it('has them in its configuration, with a warning', async () => {
    const { config, warnings } = await convert()
    expect(JSON.parse(config)).toMatchObject({ config: { Entrypoint: ['/usr/bin/app', '--password=hunter2'] } })
    expect(warnings).toMatch(/user-app\.service: DB_PASSWORD, DATABASE_URL will be readable/)
  })

  it('has none with --exclude-secrets, and asks for them', async () => {
    const { config, list, warnings } = await convert('--exclude-secrets')
    expect(config).not.toContain('hunter2')
    expect(config).toContain('REGION=eu')
    expect(list).not.toContain('.env')
    expect(warnings).toMatch(/DB_PASSWORD, DATABASE_URL may hold secrets/)
    expect(warnings).toMatch(/its command needs DB_PASSWORD/)
    expect(warnings).not.toContain('hunter2')
  })

  it('runs as the owner of its data, who can reach it', async () => {
    const { config, list } = await convert('--compress', 'gzip')
    expect(JSON.parse(config)).toMatchObject({ config: { User: '63521:63521' } })
    expect(list).toMatch(/^drwxr-xr-x .* (?:\.\/)?var\/lib\/private\/$/m)
  })
})
