/** resolv.conf(5) with fixed name servers, of which the C library asks three at most. */
export function resolvConf(dns: readonly string[]): string {
  if (dns.length === 0) return '# no name servers were given\n'
  return dns.map((server) => `nameserver ${server}\n`).join('')
}
