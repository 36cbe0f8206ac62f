import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { WORK } from './paths.js'

const exec = promisify(execFile)

export const SSH_KEY = `${WORK}id_ed25519`

export async function sshKey(): Promise<string> {
  if (!existsSync(SSH_KEY)) await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', SSH_KEY])
  return `${SSH_KEY}.pub`
}

const OPTIONS = [
  ['-i', SSH_KEY],
  ['-o', 'StrictHostKeyChecking=no'],
  ['-o', 'UserKnownHostsFile=/dev/null'],
  ['-o', 'BatchMode=yes'],
  ['-o', 'IdentitiesOnly=yes'],
  ['-o', 'ConnectTimeout=10'],
  ['-o', 'LogLevel=ERROR'],
  // one handshake for all commands of a boot: it takes an emulated machine seconds
  ['-o', 'ControlMaster=auto'],
  ['-o', 'ControlPersist=60'],
  ['-o', `ControlPath=${tmpdir()}/c2m-test-${process.pid}-%r-%p`],
].flat()

/** Runs a command in the guest as root; stdout, trimmed. */
export async function ssh(port: number, command: string, user = 'root'): Promise<string> {
  const args = [...OPTIONS, '-p', String(port), `${user}@127.0.0.1`, command]
  const { stdout } = await exec('ssh', args, { timeout: 900_000, maxBuffer: 16 * 1024 * 1024 })
  return stdout.trim()
}

/** Waits until the guest answers and has finished booting. */
export async function sshReady(port: number, timeoutMs: number): Promise<void> {
  const end = Date.now() + timeoutMs
  for (;;) {
    try {
      await ssh(port, 'systemctl is-system-running --wait || true')
      return
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }
}
