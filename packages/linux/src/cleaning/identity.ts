import type { CleaningRule } from '@c2m/plugin-api'
import type { ConfigurationReader } from '../files/configuration-reader.js'

/** What makes this machine that one and no other. */
export async function identityRules(reader: ConfigurationReader): Promise<readonly CleaningRule[]> {
  const dbusFolder = await reader.rootfs.resolve('var/lib/dbus')
  const dbusId = dbusFolder === undefined ? undefined : await reader.rootfs.stat(`${dbusFolder}/machine-id`)
  return [
    {
      id: 'machine-id',
      summary: 'the machine id and secrets bound to it',
      byDefault: true,
      // empty, not missing: systemd then makes one without taking the boot for the first (machine-id(5))
      truncate: ['/etc/machine-id'],
      remove: [
        // D-Bus's is usually a link to systemd's, which may stay
        ...(dbusId?.type === 'file' ? ['/var/lib/dbus/machine-id'] : []),
        '/var/lib/systemd/credential.secret',
        '/etc/{hostid,adjtime}',
        '/var/lib/{yum,smolt}/uuid',
        '/etc/sysconfig/{hw-uuid,rhn/systemid}',
      ],
    },
    {
      id: 'ssh-host-keys',
      summary: "the SSH server's own keys",
      byDefault: true,
      remove: ['/etc/ssh/*_host_*', '/etc/dropbear/*_host_key'],
    },
    {
      id: 'random-seed',
      summary: 'seeds of random numbers, which no two machines may share',
      byDefault: true,
      remove: [
        '/var/lib/{systemd,urandom,misc}/random-seed',
        '/var/lib/random-seed',
        '/var/lib/seedrng',
        '/etc/random-seed',
      ],
    },
    {
      id: 'cloud-init',
      summary: "cloud-init's record of the instance, and an installer's seed for it",
      byDefault: true,
      empty: ['/var/lib/cloud'],
      remove: [
        '/etc/cloud/cloud.cfg.d/{50-curtin*,50-cloud-init*,90-installer*,99-installer*,99_installer*,subiquity*,curtin*}',
        '/etc/cloud/ds-identify.cfg',
        '/etc/systemd/system-generators/cloud-init-generator.disabled',
      ],
    },
    {
      id: 'guest-agents',
      summary: 'state of hypervisor and cloud agents',
      byDefault: true,
      remove: [
        '/var/lib/{waagent,hyperv,VBoxGuestAdditions,xenstored,google,oslogin}',
        '/var/lib/amazon/ssm/*',
        '/var/lib/vmware/*',
        '/var/lib/vmware-{tools,caf}',
        '/etc/default/instance_configs.cfg',
        '/etc/qemu-ga/fsfreeze-hook.d/*.lock',
      ],
    },
    {
      id: 'dhcp',
      summary: 'addresses that the machine was lent',
      byDefault: true,
      remove: [
        '/var/lib/dhcp/*.lease{,s}*',
        '/var/lib/dhcp3/*.leases*',
        '/var/lib/{dhclient,dhcpcd,dhcpcd5}/*',
        '/var/lib/NetworkManager/*.lease',
        '/var/lib/wicked/*.xml',
      ],
      // a DHCP server's, and so its data
      except: ['/var/lib/dhcp/dhcpd*', '/var/lib/dhcp3/dhcpd*'],
    },
  ]
}
