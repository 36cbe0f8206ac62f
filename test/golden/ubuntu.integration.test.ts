import type { DistroPlugin } from '@c2m/plugin-api'
import { plugin } from '@c2m/plugin-ubuntu'
import { treeOf } from '@c2m/testkit'
import { describe, expect, it } from 'vitest'
import { planAndConfiguration } from '../support/golden.js'

const ubuntu = plugin.contributes[0] as DistroPlugin

const UNITS = [
  ...['multi-user.target', 'ssh.service', 'networking.service'],
  ...['systemd-networkd.service', 'systemd-resolved.service'],
]

/** What of Ubuntu's images matters to the plugin, written by hand: a real one cannot be had. */
const standIn = (version: string) => ({
  'etc/os-release': `NAME="Ubuntu"\nPRETTY_NAME="Ubuntu ${version}"\nVERSION_ID="${version}"\nID=ubuntu\nID_LIKE=debian\n`,
  'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nubuntu:x:1000:1000:Ubuntu:/home/ubuntu:/bin/bash\n',
  'etc/shadow': 'root:*:19700:0:99999:7:::\nubuntu:!:19700:0:99999:7:::\n',
  'etc/group': 'root:x:0:\nsudo:x:27:ubuntu\nvideo:x:44:ubuntu\nubuntu:x:1000:\n',
  'etc/gshadow': 'root:*::\nsudo:*::ubuntu\nvideo:*::ubuntu\nubuntu:!::\n',
  'var/lib/dpkg/status': '',
  'var/lib/dpkg/diversions': '/usr/bin/man\n/usr/bin/man.REAL\n:\n/sbin/initctl\n/sbin/initctl.distrib\n:\n',
  'usr/bin/man': '#!/bin/sh\necho "Run the \'unminimize\' command to restore this content."\n',
  'sbin/initctl': '#!/bin/sh\nexit 0\n',
  'usr/local/sbin/unminimize': '#!/bin/sh\n',
  'usr/sbin/policy-rc.d': '#!/bin/sh\nexit 101\n',
  'etc/dpkg/dpkg.cfg.d/excludes': 'path-exclude=/usr/share/man/*\n',
  'etc/dpkg/dpkg.cfg.d/docker-apt-speedup': 'force-unsafe-io\n',
  'etc/apt/apt.conf.d/docker-clean': 'Dir::Cache::pkgcache "";\n',
  'etc/netplan/50-cloud-init.yaml': 'network: {version: 2}\n',
  'usr/bin/cloud-init': '#!/usr/bin/python3\n',
  'var/lib/cloud/instance/obj.pkl': 'x',
})

describe('a stand-in for an Ubuntu tree', () => {
  it.each(['16.04', '23.10', '24.04'])(
    '%s is planned and configured as somebody has checked by hand',
    async (version) => {
      await using image = await treeOf(standIn(version))
      const text = await planAndConfiguration(ubuntu, image, {}, async (tree) => {
        for (const name of UNITS) {
          const unit = Buffer.from('[Install]\nWantedBy=multi-user.target\n')
          await tree.put({ path: `lib/systemd/system/${name}`, type: 'file', mode: 0o644 }, unit)
        }
      })
      await expect(text).toMatchFileSnapshot(`ubuntu-${version}.txt`)
    },
  )
})
