import type { NetworkRequest } from '@c2m/plugin-api'
import { FIRST_CARD } from './plain-interfaces.js'

/**
 * interfaces(5) of busybox, of ifupdown-ng and of old ifupdowns knows no patterns, and what a card is called depends on the
 * machine. So before the network is started, eth0 in the file becomes the first card of a machine that has none of that name,
 * and further cards are asked to get an address as well. Cards that the file names are left alone.
 *
 * Shell commands for a function of a script: they may declare variables as local, and return.
 */
export function findCardsCommands(network: NetworkRequest): string {
  const others =
    network.mode === 'dhcp'
      ? `
  for card in $cards; do
    if ! grep -q "^iface $card " "$file"; then printf '\\nauto %s\\niface %s inet dhcp\\n' "$card" "$card" >>"$file"; fi
  done`
      : ''
  return `  local file=/etc/network/interfaces card cards first
  [ -f "$file" ] || return 0
  # Ethernet (1 in if_arp.h) on a device, and not wireless
  cards=$(for card in /sys/class/net/*; do
    if [ -e "$card/device" ] && [ "$(cat "$card/type")" = 1 ] && [ ! -e "$card/phy80211" ]; then echo "\${card##*/}"; fi
  done)
  first=\${cards%%[!a-zA-Z0-9_.-]*}
  if [ -n "$first" ] && [ ! -e /sys/class/net/${FIRST_CARD} ] && ! grep -q "^iface $first " "$file"; then
    sed -i -e "s/^\\\\(auto\\\\|iface\\\\) ${FIRST_CARD}\\\\( \\\\|\\$\\\\)/\\\\1 $first\\\\2/" "$file"
  fi${others}
  return 0`
}
