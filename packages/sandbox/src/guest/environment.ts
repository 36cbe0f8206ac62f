import type { ExecStep } from '@c2m/plugin-api'

export const GUEST_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What a step's command sees, and nothing of the caller's; the step's own variables last. @param network proxies */
export function guestEnvironment(
  step: Pick<ExecStep, 'env'>,
  sourceDateEpoch: number,
  network: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: GUEST_PATH,
    HOME: '/root',
    LANG: 'C.UTF-8',
    TERM: 'linux',
    SOURCE_DATE_EPOCH: String(sourceDateEpoch),
  }
  return { ...environment, ...network, ...step.env }
}
