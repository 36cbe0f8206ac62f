import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SSH_KEY } from './ssh.js'

/**
 * A home whose SSH client knows a guest behind a forwarded port: its host keys, and the tests' key. Checking stays on.
 * @returns the environment for who is to use it
 */
export async function homeThatKnows(folder: string, port: number): Promise<NodeJS.ProcessEnv> {
  const at = (name: string) => join(folder, '.ssh', name)
  await mkdir(at(''), { recursive: true, mode: 0o700 })
  await writeFile(at('known_hosts'), execFileSync('ssh-keyscan', ['-p', String(port), '127.0.0.1'], { stdio: 'pipe' }))
  const lines = [
    'Host 127.0.0.1',
    `  UserKnownHostsFile ${at('known_hosts')}`,
    '  StrictHostKeyChecking yes',
    `  IdentityFile ${SSH_KEY}`,
    '  IdentitiesOnly yes',
  ]
  await writeFile(at('config'), `${lines.join('\n')}\n`)
  // OpenSSH takes a user's home from the account, not from HOME: a program named ssh that says -F comes first
  await mkdir(join(folder, 'bin'), { recursive: true })
  const real = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim()
  await writeFile(join(folder, 'bin/ssh'), `#!/bin/sh\nexec ${real} -F '${at('config')}' "$@"\n`, { mode: 0o755 })
  return { PATH: `${join(folder, 'bin')}:${process.env.PATH}` }
}
