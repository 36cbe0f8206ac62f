import { usageError } from '@c2m/process'

/** A machine that ssh(1) reaches. */
export interface SshTarget {
  /** A name, an address, or an alias of ssh_config(5). */
  readonly host: string
  readonly user?: string
  readonly port?: number
  /** Absolute path of the tree there. */
  readonly path: string
}

// none begins with '-', so that ssh takes no part of an address for an option
const HOST = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/
const ADDRESS = /^\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?\]$/
const USER = /^[A-Za-z0-9_.][A-Za-z0-9_.@\\+-]*\$?$/
const PARTS = /^ssh:\/\/(?:(?<user>[^/]*)@)?(?<host>\[[^\]/]*\]|[^:/@[\]]*)(?::(?<port>\d*))?(?<path>\/.*)?$/s

/**
 * `ssh://[user@]host[:port][/path]`; percent escapes are allowed in user and path.
 * @throws C2M_SSH_URL (exit code 2)
 */
export function parseSshUrl(url: string): SshTarget {
  const groups = PARTS.exec(url)?.groups
  if (groups === undefined) throw wrong(url)
  const { user: rawUser, host: rawHost = '', port: rawPort, path: rawPath } = groups
  const user = rawUser === undefined ? undefined : decode(rawUser, url)
  if (user?.includes(':') === true) {
    // the address is not repeated: it would show the password
    throw usageError('C2M_SSH_URL', 'an ssh address holds no password', 'use a key or ssh-agent; ssh asks otherwise')
  }
  if (user !== undefined && !USER.test(user)) throw wrong(url)
  if (!HOST.test(rawHost) && !ADDRESS.test(rawHost)) throw wrong(url)
  const port = rawPort === undefined ? undefined : Number(rawPort)
  if (port !== undefined && (rawPort === '' || port < 1 || port > 65535)) throw wrong(url)
  const path = decode(rawPath ?? '/', url)
  if (path.includes('\0')) throw wrong(url)
  return {
    host: rawHost.replace(/^\[|\]$/g, ''),
    path,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
  }
}

function decode(text: string, url: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong(url)
  }
}

function wrong(url: string): Error {
  return usageError('C2M_SSH_URL', `${JSON.stringify(url)} is no ssh address`, 'write ssh://[USER@]HOST[:PORT][/PATH]')
}

/** For messages, e.g. 'admin@server'. */
export function describeSsh({ user, host }: SshTarget): string {
  return user === undefined ? host : `${user}@${host}`
}
