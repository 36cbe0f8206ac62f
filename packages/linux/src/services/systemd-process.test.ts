import { describe, expect, it } from 'vitest'
import { linuxFindings } from '../findings.js'
import { memoryRootfs } from '../testing/memory-rootfs.js'

async function service(lines: string, prepare: (rootfs: ReturnType<typeof memoryRootfs>) => unknown = () => undefined) {
  const warnings: string[] = []
  const rootfs = memoryRootfs({
    'usr/lib/systemd/systemd': 'x',
    'usr/lib/systemd/system/app.service': `[Service]\nExecStart=/usr/bin/app\n${lines}\n`,
    'usr/bin/app': 'x',
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\napp:x:900:901::/srv/app:/bin/false\n',
    'etc/group': 'root:x:0:\napp:x:901:\nvideo:x:44:ann,app\nssl:x:110:\n',
  })
  await prepare(rootfs)
  const findings = await linuxFindings({ rootfs, architecture: 'amd64', warn: (message) => warnings.push(message) })
  return { process: await findings.service('app'), warnings: warnings.join('\n') }
}

describe('the user of a service', () => {
  it('is named without its own group, so that further groups count', async () => {
    expect((await service('User=app\nGroup=app')).process.user).toBe('app')
    expect((await service('User=app\nGroup=901')).process.user).toBe('app')
    expect((await service('User=app\nGroup=ssl')).process.user).toBe('app:ssl')
    expect((await service('User=root\nGroup=root')).process.user).toBeUndefined()
    const { process } = await service('User=app\nGroup=app\nRuntimeDirectory=app')
    expect(process.directories).toEqual([{ path: '/run/app', mode: 0o755, uid: 900, gid: 901 }])
  })

  it('is warned of when it loses groups', async () => {
    expect((await service('User=app\nSupplementaryGroups=video app')).warnings).toBe('')
    expect((await service('User=app\nSupplementaryGroups=video ssl')).warnings).toMatch(/will not be in "ssl" \(Supp/)
    expect((await service('User=app\nGroup=ssl\nSupplementaryGroups=video')).warnings).toMatch(/not be in "video"/)
    expect((await service('SupplementaryGroups=ssl')).warnings).toBe('')
    expect((await service('DynamicUser=yes\nSupplementaryGroups=ssl')).warnings).toMatch(/not be in "ssl"/)
  })

  it('is, where it is dynamic, who owns the data', async () => {
    const lines = 'DynamicUser=yes\nCacheDirectory=app\nStateDirectory=app'
    expect((await service(lines)).process.user).toBe('61184:61184')
    const { process } = await service(lines, async (rootfs) => {
      rootfs.add('var/lib/app', '-> private/app')
      await rootfs.put({ path: 'var/lib/private', type: 'directory', mode: 0o700 })
      await rootfs.put({ path: 'var/lib/private/app', type: 'directory', mode: 0o755, uid: 63_521, gid: 63_521 })
    })
    expect(process.user).toBe('63521:63521')
    expect(process.directories).toContainEqual({ path: '/var/lib/app', mode: 0o755, uid: 63_521, gid: 63_521 })
  })
})
