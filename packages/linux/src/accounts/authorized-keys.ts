import type { RootfsEdit } from '@c2m/plugin-api'
import { createHash } from 'node:crypto'
import { joinPath } from '../files/paths.js'
import { readBytes } from '../files/read.js'
import { byteString, makeDirectory } from '../files/write.js'
import type { Account } from './accounts.js'

const LONGEST_KEY = 16 * 1024
const TYPE =
  /^(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9-]+@openssh\.com|ssh-[a-z0-9-]+@openssh\.com)$/
/** Others, sshd skips the line for: the name of a host that a key was scanned from is none. */
const OPTION =
  '(?:(?:no-)?(?:agent-forwarding|port-forwarding|pty|user-rc|x11-forwarding)|no-touch-required|verify-required|restrict|cert-authority|(?:command|environment|expiry-time|from|permitlisten|permitopen|principals|tunnel)="(?:[^"\\\\]|\\\\.)*")'
const LINE = new RegExp(`^(?:${OPTION}(?:,${OPTION})*[ \\t]+)?(\\S+)[ \\t]+([A-Za-z0-9+/]+=*)(?:[ \\t]|$)`, 'i')

/** What identifies a public key, and whose it says that it is. */
export interface SshKeySummary {
  /** 'SHA256:' and base64, as ssh-keygen(1) prints it with -l. */
  readonly fingerprint: string
  readonly type: string
  readonly comment: string
}

/** Of a line that `isSshKey`. */
export function summarizeSshKey(line: string): SshKeySummary {
  const [start = '', type = '', base64 = ''] = LINE.exec(line.trim()) ?? []
  const digest = createHash('sha256').update(Buffer.from(base64, 'base64')).digest('base64')
  return { fingerprint: `SHA256:${digest.replace('=', '')}`, type, comment: line.trim().slice(start.length).trim() }
}

/** One line, for a plan or a report. */
export function sshKeyText({ fingerprint, type, comment }: SshKeySummary): string {
  return `${fingerprint} ${comment || 'no comment'} (${type})`
}

/** Whether a line of sshd(8)'s AUTHORIZED_KEYS FILE FORMAT holds a key that is what it says it is (RFC 4253, 6.6). */
export function isSshKey(line: string): boolean {
  const [, type = '', base64 = ''] = LINE.exec(line.trim()) ?? []
  const blob = Buffer.from(base64, 'base64')
  if (!TYPE.test(type) || blob.length < 4 + type.length) return false
  return blob.readUInt32BE(0) === type.length && blob.toString('latin1', 4, 4 + type.length) === type
}

/** One line of sshd(8)'s AUTHORIZED_KEYS FILE FORMAT. @throws when it is none */
export function checkSshKey(line: string): string {
  const key = line.trim()
  if (key.includes('PRIVATE KEY'))
    throw new Error('an SSH key is private; give the public one (the file that ends in .pub)')
  if (key.length > LONGEST_KEY || /[\n\r\0]/.test(key) || !isSshKey(key)) {
    throw new Error(`'${key.slice(0, 60)}' is no public SSH key; give a line such as 'ssh-ed25519 AAAA… name'`)
  }
  return key
}

/** Adds keys to ~/.ssh/authorized_keys, with the owner and modes that sshd's StrictModes wants. */
export async function addSshKeys(edit: RootfsEdit, account: Account, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return
  const { uid, gid } = account
  const folder = joinPath(account.home, '.ssh')
  await makeDirectory(edit, folder, { mode: 0o700, uid, gid })
  const name = joinPath(folder, 'authorized_keys')
  const path = (await edit.resolve(name)) ?? name
  const there = Buffer.from((await readBytes(edit, path)) ?? []).toString('latin1')
  const text = addLines(
    there,
    keys.map((key) => byteString(checkSshKey(key))),
  )
  await edit.put({ path, type: 'file', mode: 0o600, uid, gid }, Buffer.from(text, 'latin1'))
}

function addLines(text: string, lines: readonly string[]): string {
  const there = new Set(text.split('\n'))
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`
  const missing = [...new Set(lines)].filter((line) => !there.has(line))
  return missing.length === 0 ? text : `${start}${missing.join('\n')}\n`
}
