import { describe, expect, it } from 'vitest'
import { memoryRootfs } from '../testing/memory-rootfs.js'
import { isSecretName } from './names.js'
import { secretAt } from './secrets.js'

describe('isSecretName', () => {
  it.each([
    ...[
      'DB_PASSWORD',
      'db_passwd',
      'MYSQL_PWD',
      'SMTP_PASS',
      'DBPASS',
      'GPG_PASSPHRASE',
      'API_KEY',
      'APIKEY',
      'APP_KEY2',
    ],
    ...['SECRET_KEY_BASE', 'GITHUB_TOKEN', 'AWS_SECRET_ACCESS_KEY', 'SENTRY_DSN', 'DATABASE_URL', 'MY_CREDENTIALS'],
  ])('%s', (name) => expect(isSecretName(name)).toBe(true))
  it.each([
    ...['DB_PASSWORD_FILE', 'SSL_KEY_PATH', 'SECRETS_DIR', 'KEYBOARD', 'TOKENIZERS_PARALLELISM', 'PASSENGER_APP_ENV'],
    ...['PWD', 'OLDPWD', 'PORT', 'PATH', 'PRIVATE_NETWORK', ''],
  ])('%s is none', (name) => expect(isSecretName(name)).toBe(false))
  it('takes no time over long names', () => {
    const started = performance.now()
    isSecretName('PASSWORD'.repeat(10_000) + '-')
    expect(performance.now() - started).toBeLessThan(500)
  })
})

describe('secretAt', () => {
  it('judges one file, also by a link to it', async () => {
    const rootfs = memoryRootfs({
      'opt/app/.env': 'PORT=1\nexport SENTRY_DSN=https://x\n',
      'opt/app/.env.local': 'PORT=1\nDB_PASSWORD_FILE=/run/secrets/db\n',
      'etc/app': '-> /opt/app/.env',
    })
    expect((await secretAt(rootfs, '/etc/app'))?.path).toBe('opt/app/.env')
    expect(await secretAt(rootfs, '/opt/app/.env.local')).toBeUndefined()
    expect(await secretAt(rootfs, '/opt/app')).toBeUndefined()
    expect(await secretAt(rootfs, '/nowhere')).toBeUndefined()
  })
})
