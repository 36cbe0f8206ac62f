import type { ExecStep } from '@c2m/plugin-api'

export const GUEST_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** curl's and apt's names; nothing else of the caller's environment reaches the image's programs. */
const PROXIES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy']

/** What a step's command sees, the step's own variables last. */
export function guestEnvironment(
  step: Pick<ExecStep, 'env'>,
  sourceDateEpoch: number,
  host: NodeJS.ProcessEnv,
): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: GUEST_PATH,
    HOME: '/root',
    LANG: 'C.UTF-8',
    TERM: 'linux',
    SOURCE_DATE_EPOCH: String(sourceDateEpoch),
  }
  return { ...environment, ...proxyVariables(host), ...step.env }
}

/** What programs need to reach the network where only a proxy does. */
export function proxyVariables(host: NodeJS.ProcessEnv): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of PROXIES.flatMap((proxy) => [proxy, proxy.toUpperCase()])) {
    const value = host[name]
    if (value) found[name] = value
  }
  return found
}
