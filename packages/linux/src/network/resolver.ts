import type { Step } from '@c2m/plugin-api'

/** resolv.conf(5) with fixed name servers, of which the C library asks three at most. */
export function resolvConf(dns: readonly string[]): string {
  if (dns.length === 0) return '# no name servers were given\n'
  return dns.map((server) => `nameserver ${server}\n`).join('')
}

/** A file, not the link to a service's that the image may have. */
export function resolverSteps(owner: string, dns: readonly string[]): readonly Step[] {
  return [
    {
      id: `${owner}/old-resolv.conf`,
      title: "remove the container's /etc/resolv.conf",
      phase: 'configure',
      do: 'remove',
      paths: ['/etc/resolv.conf'],
    },
    {
      id: `${owner}/resolv.conf`,
      title: 'write /etc/resolv.conf',
      phase: 'configure',
      do: 'write',
      path: '/etc/resolv.conf',
      mode: 0o644,
      content: resolvConf(dns),
    },
  ]
}
