import type { CleaningRule } from '@c2m/plugin-api'

export const NETWORK_RULES: readonly CleaningRule[] = [
  {
    id: 'network',
    // a container's runtime gives it addresses and its own /etc/resolv.conf
    summary: "network cards' configuration",
    byDefault: true,
    remove: [
      '/etc/netplan/*.yaml',
      '/etc/network/{interfaces,interfaces.d/*}',
      '/etc/systemd/network/*',
      '/etc/NetworkManager/system-connections/*',
      '/var/lib/NetworkManager/{secret_key,NetworkManager.state,timestamps,seen-bssids,internal-*}',
      '/etc/sysconfig/network-scripts/{ifcfg,route,route6,rule,keys}-*',
      '/etc/sysconfig/network/{ifcfg,ifroute}-*',
      '/etc/conf.d/net',
      '/etc/{resolv.conf,.resolv.conf.systemd-resolved.bak}',
    ],
    except: ['/etc/sysconfig/network-scripts/ifcfg-lo', '/etc/sysconfig/network/ifcfg-{lo,template}'],
  },
  {
    id: 'udev',
    summary: 'names of devices, and the compiled database of hardware',
    byDefault: true,
    remove: [
      '/etc/udev/rules.d/*persistent*',
      '/etc/udev/rules.d/{70-snap*,75-cloud*,99-vmware*}',
      '/etc/udev/hwdb.bin',
      '/{usr/,}lib/udev/hwdb.bin',
      '/var/lib/udev/*',
    ],
  },
]
