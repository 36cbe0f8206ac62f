/** A port that a service listens on. */
export interface Listener {
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  /** Only from the machine itself: nobody outside of a container reaches it. */
  readonly isLocal: boolean
}

/**
 * Reads ADDRESS:PORT, [IPV6]:PORT, *:PORT, PORT or, with a default port, ADDRESS as configuration files write them; undefined
 * for paths of sockets and what is none of these.
 */
export function parseListener(
  text: string,
  options: { readonly defaultPort?: number; readonly protocol?: Listener['protocol'] } = {},
): Listener | undefined {
  const { defaultPort, protocol = 'tcp' } = options
  if (/^(?:unix:|\/|@)/.test(text)) return undefined
  const [, address = '', port = ''] = /^(?:(\[[0-9A-Fa-f:.%]+\]|[^:\s]*):)?(\d{1,5})$/.exec(text) ?? []
  if (port !== '') return listener(Number(port), protocol, address)
  return defaultPort === undefined ? undefined : listener(defaultPort, protocol, text)
}

export function listener(port: number, protocol: Listener['protocol'] = 'tcp', address = ''): Listener | undefined {
  if (!(Number.isInteger(port) && port > 0 && port <= 65_535)) return undefined
  return { port, protocol, isLocal: isLoopback(address) }
}

export function isLoopback(address: string): boolean {
  return /^(?:127\.|localhost$|::1$|0*:0*:0*:0*:0*:0*:0*:0*1$)/i.test(address.replace(/^-?\[?|\]$/g, ''))
}

/** Without repetition, those that can be reached from outside first counted. */
export function distinctListeners(listeners: readonly (Listener | undefined)[]): readonly Listener[] {
  const found = new Map<string, Listener>()
  for (const one of listeners) {
    if (one === undefined) continue
    const key = portText(one)
    if (found.get(key)?.isLocal !== false) found.set(key, one)
  }
  return [...found.values()].sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1))
}

/** 'PORT/tcp' or 'PORT/udp'. */
export function portText({ port, protocol }: Listener): string {
  return `${port}/${protocol}`
}
