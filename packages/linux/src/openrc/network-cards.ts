import type { NetworkRequest, Step } from '@c2m/plugin-api'
import { FIRST_CARD } from '../network/plain-interfaces.js'
import { ownServiceSteps } from './own-service.js'

/**
 * interfaces(5) of busybox and of ifupdown-ng knows no patterns, and what a card is called depends on the machine. So before
 * the network is started, eth0 in the file becomes the first card of a machine that has none of that name, and
 * further cards are asked to get an address as well. Cards that the file names are left alone.
 */
function script(network: NetworkRequest): string {
  const others =
    network.mode === 'dhcp'
      ? `
  for card in $cards; do
    if ! grep -q "^iface $card " "$file"; then printf '\\nauto %s\\niface %s inet dhcp\\n' "$card" "$card" >>"$file"; fi
  done`
      : ''
  return `#!/sbin/openrc-run

description="Lets /etc/network/interfaces name the network cards of this machine."

depend() {
  need localmount
  after hwdrivers modules
  before networking
  keyword -containers -docker -lxc -vserver
}

start() {
  local file=/etc/network/interfaces card cards first
  [ -f "$file" ] || return 0
  # Ethernet (1 in if_arp.h) on a device, and not wireless
  cards=$(for card in /sys/class/net/*; do
    if [ -e "$card/device" ] && [ "$(cat "$card/type")" = 1 ] && [ ! -e "$card/phy80211" ]; then echo "\${card##*/}"; fi
  done)
  first=\${cards%%[!a-zA-Z0-9_.-]*}
  if [ -n "$first" ] && [ ! -e /sys/class/net/${FIRST_CARD} ] && ! grep -q "^iface $first " "$file"; then
    sed -i -e "s/^\\\\(auto\\\\|iface\\\\) ${FIRST_CARD}\\\\( \\\\|\\$\\\\)/\\\\1 $first\\\\2/" "$file"
  fi${others}
  return 0
}
`
}

export function networkCardsServiceSteps(owner: string, network: NetworkRequest): readonly Step[] {
  if (network.mode === 'none') return []
  return ownServiceSteps({
    owner,
    name: 'c2m-network-cards',
    script: script(network),
    title: 'the service that finds the network cards',
    runlevel: 'boot',
  })
}
