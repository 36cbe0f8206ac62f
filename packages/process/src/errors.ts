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

const SPECIAL = 'it is a special file, or its device fails; name a regular file, or a copy of it'
const ELSEWHERE = 'choose another place'

/** What went wrong and what to do, by errno(3). */
const FILE_ERRORS: Readonly<Record<string, readonly [words: string, hint: string]>> = {
  ENOSPC: ['no space left', `free some space there, or ${ELSEWHERE}`],
  EDQUOT: ['disk quota exceeded', `the disk quota is used up; free some space there, or ${ELSEWHERE}`],
  EACCES: ['permission denied', `check the permissions, or ${ELSEWHERE}`],
  EPERM: ['not permitted', `check the permissions, or ${ELSEWHERE}`],
  EROFS: ['read-only file system', `it is on a read-only file system; ${ELSEWHERE}`],
  ENOENT: ['no such file or directory', 'check the spelling of the path'],
  ENOTDIR: ['not a directory', 'a part of the path is not a directory'],
  EISDIR: ['is a directory', 'it is a directory; name a file'],
  EFBIG: ['file too large', 'the file system does not take files of this size'],
  ENAMETOOLONG: ['file name too long', 'shorten the name'],
  ELOOP: ['too many symbolic links', 'name the file that the links are to lead to'],
  EIO: ['input/output error', SPECIAL],
  EREMOTEIO: ['remote input/output error', SPECIAL],
  EFAULT: ['bad address', SPECIAL],
  EINVAL: ['invalid argument', SPECIAL],
  ENXIO: ['no such device or address', SPECIAL],
  ENODEV: ['no such device', SPECIAL],
  EOPNOTSUPP: ['operation not supported', SPECIAL],
  ENOTSUP: ['operation not supported', SPECIAL],
  EOVERFLOW: ['value too large', SPECIAL],
  EUCLEAN: ['structure needs cleaning', 'check the file system that it is on'],
  EBADMSG: ['bad message', 'check the file system that it is on'],
  EBUSY: ['device or resource busy', 'end what uses it, and try again'],
  ETXTBSY: ['text file busy', 'end what runs it, and try again'],
  ESTALE: ['stale file handle', 'check the network file system that it is on'],
  ETIMEDOUT: ['timed out', 'check the network file system that it is on'],
  EHOSTDOWN: ['host is down', 'check the network file system that it is on'],
  ENOTCONN: ['not connected', 'check what serves the file system that it is on'],
  EMFILE: ['too many open files', 'raise the limit of open files (ulimit -n)'],
  ENFILE: ['too many open files in system', 'end what has so many files open'],
}

/** Says which path and what to do for the system errors that readers and writers of files meet; other errors pass unchanged. */
export function fileError(error: unknown, path: string, doing: string): unknown {
  const code = errno(error)
  const known = code === undefined ? undefined : FILE_ERRORS[code]
  if (known === undefined || error instanceof C2mError) return error
  const [words, hint] = known
  return new C2mError(`C2M_FILE_${code}`, `cannot ${doing} ${path}: ${words}`, { hint, cause: error })
}

/** @throws C2M_INTERRUPTED when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw interrupted()
}
