import type { NetworkRequest, Step } from '@c2m/plugin-api'
import { findCardsCommands } from '../network/card-finder.js'
import { ownUnitSteps } from './own-unit.js'

const PATH = '/usr/local/lib/c2m/network-cards'
const NAME = 'c2m-network-cards.service'

const UNIT = `[Unit]
Description=Let /etc/network/interfaces name the network cards
DefaultDependencies=no
ConditionPathIsReadWrite=/etc/network
Wants=systemd-udev-settle.service network-pre.target
After=local-fs.target systemd-remount-fs.service systemd-udev-settle.service
Before=networking.service network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${PATH}
`

/** For an ifupdown that knows no patterns. */
export function networkCardsUnitSteps(owner: string, network: NetworkRequest): readonly Step[] {
  if (network.mode === 'none') return []
  return [
    {
      id: `${owner}/network-cards`,
      title: `write ${PATH}`,
      phase: 'configure',
      do: 'write',
      path: PATH,
      mode: 0o755,
      content: `#!/bin/sh\nset -eu\nname_cards() {\n${findCardsCommands(network)}\n}\nname_cards\n`,
    },
    ...ownUnitSteps({
      owner,
      name: NAME,
      content: UNIT,
      title: 'the unit that finds the network cards',
      wantedBy: ['networking.service'],
    }),
  ]
}
