import { describe, expect, it } from 'vitest'
import { ConfigurationReader } from '../files/configuration-reader.js'
import { memoryRootfs } from '../testing/memory-rootfs.js'
import { bootUnits } from './boot.js'
import { UnitCatalog } from './catalog.js'

const LIB = 'usr/lib/systemd/system'
const ETC = 'etc/systemd/system'

function machine(files: Record<string, string | undefined>) {
  const reader = new ConfigurationReader(memoryRootfs({ lib: '-> usr/lib', ...files }), () => undefined)
  return { reader, catalog: new UnitCatalog(reader) }
}

describe('UnitCatalog', () => {
  it('finds aliases, templates, links to files elsewhere, and masks', async () => {
    const { catalog } = machine({
      [`${LIB}/ssh.service`]: '[Unit]\nDescription=s\n',
      [`${ETC}/sshd.service`]: '-> /lib/systemd/system/ssh.service',
      [`${LIB}/getty@.service`]: '[Unit]\n',
      [`${ETC}/autovt@.service`]: '-> /lib/systemd/system/getty@.service',
      'opt/app/app.service': '[Unit]\n',
      [`${ETC}/app.service`]: '-> /opt/app/app.service',
      [`${ETC}/a.service`]: '-> /dev/null',
      [`${ETC}/b.service`]: '',
      [`${LIB}/b.service`]: '[Unit]\n',
      [`${ETC}/c.service`]: '-> ../../../dev/null',
      [`${ETC}/x.service`]: '-> y.service',
      [`${ETC}/y.service`]: '-> x.service',
      [`${ETC}/up.service`]: '-> ../../../../../etc/passwd',
      'etc/passwd': 'root\n',
    })
    const nameOf = async (name: string) => {
      const found = await catalog.find(name)
      return typeof found === 'object' ? `${found.name} ${found.path}` : found
    }
    expect(await nameOf('sshd.service')).toBe(`ssh.service /${LIB}/ssh.service`)
    expect(await nameOf('autovt@tty1.service')).toBe(`getty@tty1.service /${LIB}/getty@.service`)
    expect(await nameOf('app.service')).toBe(`app.service /${ETC}/app.service`)
    for (const name of ['a.service', 'b.service', 'c.service']) expect(await nameOf(name)).toBe('masked')
    for (const name of ['x.service', 'no.service', '../../passwd.service', 'a\nb.service', '.service']) {
      expect(await nameOf(name)).toBeUndefined()
    }
  })

  it('merges drop-ins by name, the more specific and higher first', async () => {
    const text = (value: string) => `[Service]\nEnvironment=${value}\n`
    const { catalog } = machine({
      [`${LIB}/a-b@.service`]: text('unit'),
      [`${LIB}/a-b@x.service.d/50-same.conf`]: text('vendor'),
      [`${ETC}/a-b@x.service.d/50-same.conf`]: text('admin'),
      [`${ETC}/a-b@.service.d/20-template.conf`]: text('template'),
      [`${ETC}/a-.service.d/30-prefix.conf`]: text('prefix'),
      [`${ETC}/service.d/10-type.conf`]: text('type'),
      [`${ETC}/service.d/50-same.conf`]: text('type-same'),
      [`${ETC}/service.d/60-masked.conf`]: '-> /dev/null',
      [`${LIB}/a-b@x.service.d/70-not-conf`]: text('no'),
    })
    const found = await catalog.find('a-b@x.service')
    expect(typeof found === 'object' && found.file.get('Service')?.get('Environment')).toEqual([
      'unit',
      'type',
      'template',
      'prefix',
      'admin',
    ])
  })
})

describe('bootUnits', () => {
  it('follows the default target through wants, requires, sockets, SysV scripts and circles', async () => {
    const { reader, catalog } = machine({
      [`${LIB}/default.target`]: '-> graphical.target',
      [`${LIB}/graphical.target`]: '[Unit]\nRequires=multi-user.target\nWants=dm.service\n',
      [`${LIB}/multi-user.target`]: '[Unit]\nRequires=basic.target\n',
      [`${LIB}/basic.target`]: '[Unit]\nWants=sockets.target graphical.target\n',
      [`${LIB}/sockets.target`]: '[Unit]\n',
      [`${LIB}/web.service`]: '[Unit]\nWants=helper@%p.service\n[Service]\nExecStart=/web\n',
      [`${LIB}/helper@.service`]: '[Service]\nExecStart=/helper\n',
      [`${LIB}/asleep.service`]: '[Service]\nExecStart=/asleep\n',
      [`${LIB}/by-socket.service`]: '[Service]\nExecStart=/by\n',
      [`${LIB}/off.service`]: '[Service]\nExecStart=/off\n',
      [`${LIB}/lost.service`]: '[Service]\nExecStart=/lost\n',
      [`${ETC}/asleep.service`]: '-> /dev/null',
      [`${ETC}/multi-user.target.wants/web.service`]: '-> /lib/systemd/system/web.service',
      [`${ETC}/multi-user.target.wants/asleep.service`]: '-> /lib/systemd/system/asleep.service',
      [`${ETC}/rescue.target.wants/lost.service`]: '-> /lib/systemd/system/lost.service',
      [`${LIB}/one.socket`]: '[Socket]\nListenStream=80\nService=by-socket.service\n',
      [`${ETC}/sockets.target.wants/one.socket`]: '-> /lib/systemd/system/one.socket',
      [`${LIB}/systemd-sysv-generator`]: undefined,
      'usr/lib/systemd/system-generators/systemd-sysv-generator': 'x',
      'etc/init.d/old': '#!/bin/sh\n',
      'etc/rc3.d/S01old': '-> ../init.d/old',
      'etc/init.d/web': '#!/bin/sh\n',
      'etc/rc3.d/S01web': '-> ../init.d/web',
      'etc/init.d/stopped': '#!/bin/sh\n',
      'etc/rc3.d/K01stopped': '-> ../init.d/stopped',
    })
    const { services, sockets, scripts } = await bootUnits(reader, catalog)
    expect(services.map(({ name }) => name).sort()).toEqual(['by-socket.service', 'helper@web.service', 'web.service'])
    expect(sockets.map(({ service }) => service)).toEqual(['by-socket.service'])
    expect([...scripts.keys()]).toEqual(['old.service'])
  })
})
