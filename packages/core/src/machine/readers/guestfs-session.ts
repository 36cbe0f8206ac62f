import { chooseAccelerator } from '@c2m/qemu'
import { C2mError, ExitCode, isC2mError, requireTool, startDialogue, type Dialogue } from '@c2m/process'
import type { ReaderContext } from '../reader.js'

const PACKAGES = 'libguestfs-tools libguestfs-xfs'
/** Lines of an answer; a disk with so many partitions or mounts is nobody's machine. */
const MOST_LINES = 1000
/** Ends the answer to a command. */
const MARK = 'c2m-done'

/** A machine of libguestfs that holds one disk, and is told what to do by guestfish(1). Disposing ends it. */
export class GuestfsSession implements AsyncDisposable {
  private constructor(private readonly dialogue: Dialogue) {}

  /**
   * Starts libguestfs' machine on the blocks behind an NBD server. What the machine writes goes to a file of its own that is
   * thrown away.
   * @throws C2M_TOOL_MISSING, C2M_GUESTFS, C2M_INTERRUPTED
   */
  static async start(socket: string, cache: string, context: ReaderContext): Promise<GuestfsSession> {
    const guestfish = await requireTool('guestfish', 'the reader guestfs', PACKAGES)
    const args = ['--ro', '--keys-from-stdin', '--format=raw', '--add', `nbd://?socket=${encodeURI(socket)}`]
    const env = { ...(await backend(cache, context)), ...context.env, LC_ALL: 'C' }
    const session = new GuestfsSession(
      await startDialogue(guestfish, args, {
        env: { ...env, LIBGUESTFS_TMPDIR: context.temporaryFolder },
        signal: context.signal,
      }),
    )
    try {
      await session.run('run')
      return session
    } catch (error) {
      await session[Symbol.asyncDispose]()
      throw explain(error)
    }
  }

  /** The lines that a command prints. The first command that fails ends the session. @throws C2M_GUESTFS, C2M_INTERRUPTED */
  async run(...words: readonly string[]): Promise<readonly string[]> {
    return this.#ask(`${words.map(word).join(' ')}\n`)
  }

  /** Runs a command that asks for a passphrase. @throws C2M_GUESTFS, C2M_INTERRUPTED */
  async runWithKey(key: Uint8Array, ...words: readonly string[]): Promise<readonly string[]> {
    return this.#ask(Buffer.concat([Buffer.from(`${words.map(word).join(' ')}\n`), key, Buffer.from('\n')]))
  }

  /** Runs a command that may fail, which then prints nothing. @throws C2M_GUESTFS, C2M_INTERRUPTED */
  async attempt(...words: readonly string[]): Promise<readonly string[]> {
    return this.#ask(`-${words.map(word).join(' ')}\n`)
  }

  async #ask(text: string | Uint8Array): Promise<readonly string[]> {
    this.dialogue.say(text)
    this.dialogue.say(`echo ${MARK}\n`)
    const lines: string[] = []
    try {
      for (;;) {
        const line = await this.dialogue.hear()
        if (line === MARK) return lines
        if (line !== '') lines.push(line)
        if (lines.length > MOST_LINES) throw endless(text)
      }
    } catch (error) {
      throw explain(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dialogue[Symbol.asyncDispose]()
  }
}

function endless(text: string | Uint8Array): C2mError {
  const command = Buffer.from(text).toString('latin1').split('\n', 1)[0]
  return new C2mError('C2M_GUESTFS', `guestfish answers '${command}' with more than ${MOST_LINES} lines`, {
    hint: 'name the root with --root, or use --reader nbd (as root)',
  })
}

/** A word of guestfish(1), "Quoting"; a new line would be another command. */
function word(text: string): string {
  if (/^[\w./:=+-]+$/.test(text)) return text
  const escaped = Buffer.from(text).reduce((all, byte) => `${all}\\x${byte.toString(16).padStart(2, '0')}`, '')
  return `"${escaped}"`
}

/** QEMU without libvirt, and without a KVM that is there but does not work. */
async function backend(cache: string, { signal }: ReaderContext): Promise<Record<string, string>> {
  const { accel } = await chooseAccelerator({ cache, signal })
  return {
    LIBGUESTFS_BACKEND: 'direct',
    ...(accel === 'tcg' ? { LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' } : {}),
  }
}

function explain(error: unknown): unknown {
  if (!isC2mError(error) || error.code !== 'C2M_COMMAND_FAILED') return error
  const said = error.message
    .split('\n')
    .map((line) => /(?:libguestfs: error|supermin): (.*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined)
  const missing = /kernel|supermin|appliance\/|cannot find any suitable/i.test(said.join())
  return new C2mError('C2M_GUESTFS', `libguestfs failed: ${said.join('; ') || error.message}`, {
    hint: missing
      ? 'it needs a kernel that this user may read: apt-get install linux-image-generic or linux-image-amd64, chmod +r /boot/vmlinuz-*'
      : 'libguestfs-test-tool tells whether libguestfs works here',
    cause: error,
    exitCode: missing ? ExitCode.missing : ExitCode.failed,
  })
}
