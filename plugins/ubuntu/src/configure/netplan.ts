import { CARD_NAMES, isIPv6 } from '@c2m/linux'
import type { NetworkManager } from '@c2m/plugin-debian'
import { networkdServiceSteps, NETWORKD } from '@c2m/plugin-debian'
import type { NetworkRequest, RootfsEdit, Step } from '@c2m/plugin-api'
import { compareVersions } from '@c2m/linux'

const FOLDER = 'etc/netplan'
const FILE = `/${FOLDER}/60-c2m.yaml`

/** netplan(5), which makes systemd-networkd's configuration at every boot. */
export const NETPLAN: NetworkManager = {
  packages: (release) => [
    compareVersions(release.version, [18, 4]) < 0 ? 'nplan' : 'netplan.io',
    ...NETWORKD.packages(release),
  ],
  steps: (owner, release, { machine }) => [
    otherNetplansStep(owner),
    {
      id: `${owner}/network`,
      title: `write ${FILE}: ${machine.network.mode}`,
      phase: 'configure',
      do: 'write',
      path: FILE,
      // netplan warns of files that others can read
      mode: 0o600,
      content: netplanFile(machine.network, machine.dns, { overrides: compareVersions(release.version, [18, 4]) >= 0 }),
    },
    ...networkdServiceSteps(owner, release),
  ],
  units: NETWORKD.units,
}

/** The image's netplan files are of another machine, or of cloud-init for one. */
export function otherNetplansStep(owner: string): Step {
  return {
    id: `${owner}/other-netplans`,
    title: "remove the image's netplan files",
    phase: 'configure',
    do: 'custom',
    run: ({ rootfs }) => removeNetplans(rootfs),
  }
}

async function removeNetplans(rootfs: RootfsEdit): Promise<void> {
  for (const name of await rootfs.list(FOLDER)) if (name.endsWith('.yaml')) await rootfs.remove(`${FOLDER}/${name}`)
}

/**
 * One entry for each pattern of card names, since a match takes one name only. Static addresses are meant for a machine with
 * one card. Name servers of the user's own replace those that DHCP announces where netplan knows overrides (0.98).
 */
export function netplanFile(
  network: NetworkRequest,
  dns: readonly string[],
  { overrides }: { readonly overrides: boolean },
): string {
  const settings = [...addressLines(network), ...nameServerLines(network, dns, overrides)]
  const cards = CARD_NAMES.flatMap((pattern) => [
    `    c2m-${pattern.replace(/[^a-z]/g, '')}:`,
    '      match:',
    `        name: "${pattern}"`,
    ...settings.map((line) => `      ${line}`),
  ])
  return ['network:', '  version: 2', '  renderer: networkd', '  ethernets:', ...cards, ''].join('\n')
}

function addressLines(network: NetworkRequest): readonly string[] {
  if (network.mode !== 'static') return ['dhcp4: true', 'dhcp6: true']
  const { addresses, gateway } = network
  const lines = ['addresses:', ...addresses.map((address) => `  - "${address}"`)]
  if (addresses.some(isIPv6)) lines.push('accept-ra: false')
  if (gateway === undefined) return lines
  // 'default' is a word of later versions
  return [...lines, 'routes:', `  - to: "${isIPv6(gateway) ? '::/0' : '0.0.0.0/0'}"`, `    via: "${gateway}"`]
}

function nameServerLines(network: NetworkRequest, dns: readonly string[], overrides: boolean): readonly string[] {
  if (dns.length === 0) return []
  const lines = ['nameservers:', '  addresses:', ...dns.map((server) => `    - "${server}"`)]
  if (network.mode !== 'dhcp' || !overrides) return lines
  return [...lines, ...['dhcp4', 'dhcp6'].flatMap((family) => [`${family}-overrides:`, '  use-dns: false'])]
}
