import { spawn, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@c2m/process'
import { isRoot } from './odd-tree.js'

/** An OpenSSH server of this user's on the loopback interface, with keys of its own, and a client's configuration. */
export interface SshServer extends AsyncDisposable {
  readonly port: number
  /** Of the tree `path`. */
  url(path: string, port?: number): string
  /** Holds a program `ssh` that reads the client's configuration; to be first on PATH. */
  readonly bin: string
  readonly knownHosts: string
  readonly identity: string
}

/** @param path PATH of commands that run there; default: the server's */
export async function startSshServer(folder: string, options: { path?: string } = {}): Promise<SshServer> {
  const at = (name: string) => join(folder, name)
  await mkdir(at('bin'), { recursive: true })
  for (const name of ['host', 'user']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', at(name)])
  }
  await copyFile(at('user.pub'), at('authorized_keys'))
  if (isRoot) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  const port = await freePort()
  const settings = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${at('host')}`,
    `AuthorizedKeysFile ${at('authorized_keys')}`,
    'StrictModes no',
    'PidFile none',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    ...(options.path === undefined ? [] : [`SetEnv PATH=${options.path}`]),
  ]
  await writeFile(at('sshd_config'), settings.join('\n'))
  const client = [
    `UserKnownHostsFile ${at('known_hosts')}`,
    'GlobalKnownHostsFile /dev/null',
    `IdentityFile ${at('user')}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    'StrictHostKeyChecking yes',
  ]
  await writeFile(at('ssh_config'), client.join('\n'))
  await writeFile(at('bin/ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${at('ssh_config')} "$@"\n`)
  await chmod(at('bin/ssh'), 0o755)
  const key = (await readFile(at('host.pub'), 'utf8')).trim()
  await writeFile(at('known_hosts'), `* ${key}\n`)
  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', at('sshd_config')], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  await waitForPort(port)
  return {
    port,
    bin: at('bin'),
    knownHosts: at('known_hosts'),
    identity: at('user'),
    url: (path, through = port) =>
      `ssh://${userInfo().username}@127.0.0.1:${through}${path.split('/').map(encodeURIComponent).join('/')}`,
    async [Symbol.asyncDispose]() {
      child.kill()
      await exited
    },
  }
}

async function waitForPort(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) return
    await sleep(50)
  }
  throw new Error(`nobody listens on port ${port}`)
}

/** Leads to another port, and cuts the connection after some bytes have come from there. */
export async function cuttingProxy(to: number, bytes: number): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer((from) => {
    const there = connect(to, '127.0.0.1')
    let passed = 0
    for (const socket of [from, there]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    from.pipe(there)
    there.on('data', (chunk: Buffer) => {
      passed += chunk.length
      from.write(chunk)
      if (passed < bytes) return
      from.destroy()
      there.destroy()
    })
    there.on('close', () => from.destroy())
    from.on('close', () => there.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
