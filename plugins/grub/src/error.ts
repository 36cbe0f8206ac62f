/**
 * An error as the core shows it (it recognises errors by shape): a stable code, one sentence, what to do next.
 * Exit code 1 is a failure, 2 wrong usage.
 */
export interface GrubError extends Error {
  readonly code: string
  readonly hint: string
  readonly exitCode: 1 | 2
}

export function grubError(code: string, message: string, hint: string, exitCode: 1 | 2 = 1): GrubError {
  return Object.assign(new Error(message), { name: 'C2mError', code, hint, exitCode })
}
