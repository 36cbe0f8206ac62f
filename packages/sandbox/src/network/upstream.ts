/** A proxy of this host's user. */
export interface Upstream {
  readonly protocol: 'http:' | 'https:'
  readonly host: string
  readonly port: number
  /** Value of Proxy-Authorization (RFC 9110, section 11.7.2); undefined without user and password. */
  readonly authorization: string | undefined
}

/** Variables by curl's and apt's names. */
const PROXIES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy']

/** The proxy variables of an environment, as they are. */
export function proxyVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of PROXIES.flatMap((proxy) => [proxy, proxy.toUpperCase()])) {
    const value = env[name]
    if (value) found[name] = value
  }
  return found
}

/**
 * The proxy for a destination by http_proxy, https_proxy, all_proxy and no_proxy, in small or capital letters. Of all_proxy,
 * SOCKS proxies are passed over: they are not spoken here.
 * @param protocol 'https:' for what is tunnelled
 */
export function upstreamFor(
  { protocol, host, port }: { readonly protocol: 'http:' | 'https:'; readonly host: string; readonly port: number },
  env: NodeJS.ProcessEnv,
): Upstream | undefined {
  const value = (name: string) => env[name] || env[name.toUpperCase()] || undefined
  if (isExempt(host, port, value('no_proxy') ?? '')) return undefined
  const text = value(protocol === 'http:' ? 'http_proxy' : 'https_proxy') ?? value('all_proxy')
  if (text === undefined) return undefined
  const url = parseUrl(text.includes('://') ? text : `http://${text}`)
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  return {
    protocol: url.protocol,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    authorization: user === ':' ? undefined : `Basic ${Buffer.from(user).toString('base64')}`,
  }
}

/** '*', a name with everything below it, each with a port or without (curl(1), NO_PROXY). */
function isExempt(host: string, port: number, list: string): boolean {
  const name = host.toLowerCase()
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '') return false
      if (entry === '*') return true
      const [suffix = '', wanted] = entry.startsWith('[') || entry.split(':').length > 2 ? [entry] : entry.split(':')
      if (wanted !== undefined && Number(wanted) !== port) return false
      const bare = suffix.replace(/^\*?\./, '')
      return name === bare || name.endsWith(`.${bare}`)
    })
}

export function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}
