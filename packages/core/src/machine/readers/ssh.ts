import { randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { C2mError, ExitCode, quote, requireTool, runToFile, type CleanupStack } from '@c2m/process'
import type { OpenedMachine, ReaderContext } from '../reader.js'
import { TAR_CHANGED, TAR_FAILED, TarDiagnostics, tarArguments } from './gnu-tar.js'
import { openSpooledTar, spoolLimit } from './spooled-tar.js'
import { MountList } from './mount-list.js'
import { describeSsh, parseSshUrl, type SshTarget } from './ssh-url.js'

export interface SshContext extends ReaderContext {
  /** Whether tar runs as root there. */
  readonly sudo: boolean
  readonly allFilesystems: boolean
  /** Bytes that its tree may take; undefined: as many as there is space for. */
  readonly maxBytes?: number
}

/** Exit codes of the remote script, apart from those of tar, sudo and shells. */
const NO_GNU_TAR = 90
const NO_SUDO = 91
const NO_FOLDER = 92
/** ssh's own exit code for its own faults (ssh(1)). */
const SSH_FAILED = 255
/** Where the magic of a POSIX tar header stands (pax, "ustar Interchange Format"). */
const MAGIC = { offset: 257, text: 'ustar' }

/**
 * Reads a running machine by the system's ssh client, as it is configured, and GNU tar there. The tree comes in one
 * stream and is kept in the temporary folder; files that change meanwhile are reported.
 * @throws C2M_SSH_URL, C2M_TOOL_MISSING, C2M_SSH_CONNECTION, C2M_SSH_LOST, C2M_SSH_TAR, C2M_SSH_SUDO, C2M_SSH_PATH,
 *   C2M_SSH_UNREADABLE, C2M_SSH_NOISE, C2M_SSH_TOO_LARGE, C2M_CACHE_FULL, C2M_TAR_…, C2M_FILE_…, C2M_INTERRUPTED
 */
export async function openSsh(url: string, context: SshContext, cleanup: CleanupStack): Promise<OpenedMachine> {
  const target = parseSshUrl(url)
  const ssh = await requireTool('ssh', 'reading a running machine', 'openssh-client')
  const spool = join(context.temporaryFolder, `ssh-${randomUUID()}.tar`)
  cleanup.defer(() => rm(spool, { force: true }).catch(() => undefined))
  const limit = spoolLimit(spool, describeSsh(target), context.maxBytes)
  const said = new TarDiagnostics()
  const mounts = new MountList()
  const { exitCode, bytes } = await runToFile(ssh, sshArguments(target, remoteScript(target, context)), spool, {
    env: context.env,
    signal: context.signal,
    onLine: (line) => mounts.take(line) || said.take(line),
    onBytes: async (count) => {
      context.reporter.progress(count)
      await limit(count)
    },
  })
  checkEnd(exitCode, bytes, said, target, context)
  said.report(context.reporter)
  const left = context.allFilesystems ? [] : mounts.below(target.path)
  if (left.length > 0) {
    context.reporter.warn(`other file systems are left out: ${left.join(', ')}; --all-filesystems takes them`)
  }
  await checkBeginning(spool, target)
  const rootfs = await openSpooledTar(spool, context, cleanup)
  return { rootfs, root: url, reasons: ['a running machine shows its tree itself'], mounts: [] }
}

/** Nothing here weakens what the user configured; host keys are checked as always. */
function sshArguments({ host, user, port }: SshTarget, script: string): readonly string[] {
  return [
    // no terminal, no agent, no display for a machine that is only to be read
    ...['-T', '-a', '-x', '-o', 'ClearAllForwardings=yes', '-o', 'RemoteCommand=none'],
    // a connection that is there already is used; a new one ends with this process
    ...['-o', 'ControlMaster=no'],
    // a peer that is gone without a word is noticed after a minute
    ...['-o', 'ServerAliveInterval=15', '-o', 'ServerAliveCountMax=4'],
    // a script is never stopped by a question
    ...(process.stdin.isTTY ? [] : ['-o', 'BatchMode=yes']),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...['--', host, `exec sh -c ${quote(script)}`],
  ]
}

/** One line for sh(1); the login shell there may be another, which only sees a quoted word. */
function remoteScript({ path }: SshTarget, { sudo, allFilesystems }: SshContext): string {
  const tar = `${sudo ? 'sudo -n ' : ''}"$t"`
  const args = tarArguments({ folder: path, allFilesystems }).map(quote).join(' ')
  return [
    'export LC_ALL=C',
    'for t in tar gtar; do t=$(command -v "$t") && "$t" --version 2>/dev/null | grep -q "GNU tar" && break; t=; done',
    `test -n "$t" || exit ${NO_GNU_TAR}`,
    ...(sudo ? [`${tar} --version >/dev/null || exit ${NO_SUDO}`] : [`test -d ${quote(path)} || exit ${NO_FOLDER}`]),
    MountList.script,
    `exec ${tar} ${args}`,
  ].join('; ')
}

function checkEnd(
  exitCode: number,
  bytes: number,
  said: TarDiagnostics,
  target: SshTarget,
  { sudo }: SshContext,
): void {
  const where = describeSsh(target)
  const last = said.other.slice(-3).join('; ')
  const because = last === '' ? '' : `: ${last}`
  switch (exitCode) {
    case 0:
    case TAR_CHANGED:
      return
    case TAR_FAILED:
      throw said.failure(
        'C2M_SSH_UNREADABLE',
        `${where}:${target.path}`,
        sudo ? 'see to it that root may read these there' : 'read it as root there: --sudo, or ssh://root@HOST',
      )
    case NO_GNU_TAR:
      throw new C2mError('C2M_SSH_TAR', `${where} has no GNU tar`, {
        hint: 'install it there: the package is called tar, on BSDs gtar',
        exitCode: ExitCode.missing,
      })
    case NO_SUDO:
      throw new C2mError('C2M_SSH_SUDO', `${where} does not let this user run tar with sudo${because}`, {
        hint: 'sudo must not ask for a password there: a sudoers line with NOPASSWD, or ssh://root@HOST without --sudo',
      })
    case NO_FOLDER:
      throw new C2mError('C2M_SSH_PATH', `${where} has no folder ${JSON.stringify(target.path)}`, {
        hint: 'name the folder that holds the root file system, / by default',
      })
    case SSH_FAILED:
      throw connectionError(where, bytes, last)
    default:
      throw new C2mError('C2M_SSH_LOST', `tar on ${where} ended with exit code ${exitCode}${because}`, {
        hint: 'try again; if it fails again, run the same ssh command by hand',
      })
  }
}

function connectionError(where: string, bytes: number, last: string): C2mError {
  if (bytes > 0) {
    return new C2mError(
      'C2M_SSH_LOST',
      `the connection to ${where} was lost after ${bytes} bytes${last && `: ${last}`}`,
      {
        hint: 'nothing was written; try again',
      },
    )
  }
  const hint = /host key verification failed|authenticity of host/i.test(last)
    ? `connect once by hand and compare the host key: ssh ${where}`
    : /permission denied/i.test(last)
      ? 'offer a key that the machine knows, by ssh-agent or in ~/.ssh/config'
      : `see whether this works: ssh ${where} true`
  return new C2mError('C2M_SSH_CONNECTION', `cannot connect to ${where}${last && `: ${last}`}`, { hint })
}

/** Profiles that greet everybody put their words before the archive. */
async function checkBeginning(spool: string, target: SshTarget): Promise<void> {
  await using file = await open(spool)
  const { buffer } = await file.read(Buffer.alloc(MAGIC.offset + MAGIC.text.length), 0, undefined, 0)
  if (buffer.toString('latin1', MAGIC.offset) === MAGIC.text) return
  const start = JSON.stringify(buffer.toString('latin1', 0, 60).replaceAll('\0', ''))
  throw new C2mError('C2M_SSH_NOISE', `${describeSsh(target)} sends ${start} before the archive`, {
    hint: 'its login shell must print nothing when no terminal is there; see to .bashrc and the like',
  })
}
