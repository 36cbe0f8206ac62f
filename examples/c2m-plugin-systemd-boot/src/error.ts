/**
 * An error as c2m shows it (it recognises errors by shape): a stable code, one sentence, what to do next.
 * Exit code 1 is a failure, 2 wrong usage, 3 something missing on this host.
 */
export interface SystemdBootError extends Error {
  readonly code: string
  readonly hint: string
  readonly exitCode: 1 | 2 | 3
}

export function systemdBootError(
  code: string,
  message: string,
  hint: string,
  exitCode: 1 | 2 | 3 = 1,
): SystemdBootError {
  return Object.assign(new Error(message), { name: 'C2mError', code, hint, exitCode })
}
