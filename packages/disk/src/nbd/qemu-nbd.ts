import { makeSweptFolder, requireTool, socketParent, throwIfAborted, type TemporaryFolder } from '@c2m/process'
import { join } from 'node:path'
import type { BlockSource } from '../block/source.js'
import type { NbdClient } from './client.js'
import { ServerProcess } from './server-process.js'

export interface QemuNbdOptions {
  readonly signal?: AbortSignal
  /** Of the child; XDG_RUNTIME_DIR or TMPDIR says where the socket's folder goes. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv
}

/** Blocks, and where other programs of this user can get them as well. */
export interface ServedDisk extends BlockSource, AsyncDisposable {
  /** Path of the server's socket. */
  readonly socket: string
}

const PREFIX = 'c2m-nbd'
/** sockaddr_un has 108 bytes with the final NUL (unix(7)). */
const MAX_SOCKET_PATH = 107

/**
 * Starts qemu-nbd on a unix socket in a private folder and connects to it; disposing ends it and removes the folder.
 * @param node QEMU's description of the disk (qemu(1), -blockdev), with a driver for every file of it, so that QEMU
 *   guesses nothing
 * @param shown the disk's name in messages
 * @throws C2M_TOOL_MISSING, C2M_DISK_IN_USE, C2M_DISK_UNCLEAN, C2M_DISK_OPEN with qemu-nbd's last lines, C2M_NBD_…,
 *   C2M_INTERRUPTED
 */
export async function serveDisk(node: object, shown: string, options: QemuNbdOptions = {}): Promise<ServedDisk> {
  throwIfAborted(options.signal)
  const program = await requireTool('qemu-nbd', 'reading this disk format', 'qemu-utils')
  const env = options.env ?? process.env
  const folder = await makeSocketFolder(env)
  const socket = join(folder.path, 's')
  const child = new ServerProcess(program, socket, node, { shown, env, signal: options.signal })
  let client: NbdClient | undefined
  const stop = async () => {
    await client?.[Symbol.asyncDispose]()
    await child.end(client !== undefined)
    await folder[Symbol.asyncDispose]()
  }
  try {
    client = await child.connect()
    return { ...client, socket, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Only this user can enter it. */
async function makeSocketFolder(env: NodeJS.ProcessEnv): Promise<TemporaryFolder> {
  const parent = await socketParent(env)
  const sample = join(parent, `${PREFIX}.4194304.18446744073709551615.XXXXXX`, 's')
  return makeSweptFolder(Buffer.byteLength(sample) > MAX_SOCKET_PATH ? '/tmp' : parent, PREFIX)
}
