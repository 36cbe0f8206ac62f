import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findUntrusted, isPrivate } from './trust.js'

/**
 * Where temporary files go that no output has to lie beside: $TMPDIR, unless others could put their own in the place of ours
 * there, else /tmp.
 */
export async function temporaryParent(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const wanted = env.TMPDIR?.startsWith('/') === true ? env.TMPDIR : tmpdir()
  return (await findUntrusted(wanted)) === undefined ? wanted : '/tmp'
}

/** Where sockets go: $XDG_RUNTIME_DIR/c2m when that is this user's alone (XDG Base Directory Specification). */
export async function socketParent(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const runtime = env.XDG_RUNTIME_DIR
  const isOwn = runtime?.startsWith('/') === true && (await isOwnFolder(runtime))
  return isOwn ? join(runtime, 'c2m') : temporaryParent(env)
}

async function isOwnFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isDirectory() === true && isPrivate(found) && (await findUntrusted(path)) === undefined
}
