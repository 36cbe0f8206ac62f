/** Exit codes of the program: done, failed, wrong usage, something missing on this host, interrupted. */
export const ExitCode = { done: 0, failed: 1, usage: 2, missing: 3, interrupted: 130 } as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

export interface C2mErrorOptions {
  /** What to do next, one sentence. */
  hint?: string
  /** Name of the plugin that is involved. */
  plugin?: string
  cause?: unknown
  /** Default: failed (1). */
  exitCode?: ExitCode
}

/** Every error that a user may see. `code` is stable ('C2M_…'); `message` is one sentence with the offending value. */
export class C2mError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly plugin: string | undefined
  readonly exitCode: ExitCode

  constructor(code: string, message: string, options: C2mErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'C2mError'
    this.code = code
    this.hint = options.hint
    this.plugin = options.plugin
    this.exitCode = options.exitCode ?? ExitCode.failed
  }
}

/** By shape, since two copies of this package may be loaded. */
export function isC2mError(error: unknown): error is C2mError {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'string' && 'exitCode' in error
}

export function usageError(code: string, message: string, hint?: string): C2mError {
  return new C2mError(code, message, { hint, exitCode: ExitCode.usage })
}

export function interrupted(): C2mError {
  return new C2mError('C2M_INTERRUPTED', 'interrupted', { exitCode: ExitCode.interrupted })
}

/** errno of a Node system error, e.g. 'ENOENT'. */
export function errno(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}

/** Says which path and what to do for the system errors that every writer meets; other errors pass unchanged. */
export function fileError(error: unknown, path: string, doing: string): unknown {
  const hints: Record<string, string> = {
    ENOSPC: 'free some space there, or choose another place',
    EDQUOT: 'the disk quota is used up; free some space there, or choose another place',
    EACCES: 'check the permissions, or choose another place',
    EPERM: 'check the permissions, or choose another place',
    EROFS: 'it is on a read-only file system; choose another place',
    ENOENT: 'check the spelling of the path',
    ENOTDIR: 'a part of the path is not a directory',
    EISDIR: 'it is a directory; name a file',
    EFBIG: 'the file system does not take files of this size',
  }
  const words: Record<string, string> = {
    ENOSPC: 'no space left',
    EDQUOT: 'disk quota exceeded',
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    EROFS: 'read-only file system',
    ENOENT: 'no such file or directory',
    ENOTDIR: 'not a directory',
    EISDIR: 'is a directory',
    EFBIG: 'file too large',
  }
  const code = errno(error)
  if (code === undefined || hints[code] === undefined || error instanceof C2mError) return error
  return new C2mError(`C2M_FILE_${code}`, `cannot ${doing} ${path}: ${words[code]}`, {
    hint: hints[code],
    cause: error,
  })
}

/** @throws C2M_INTERRUPTED when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw interrupted()
}
