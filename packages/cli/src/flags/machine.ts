import { checkPasswordHash, defaultConsoles, defaultMachine, hashPassword, isSshKey } from '@c2m/core'
import type { MachineRequest, MachineTarget, Secret, UserRequest } from '@c2m/plugin-api'
import { fileError, usageError, type Reporter } from '@c2m/process'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { parseNetwork } from './network.js'

/** The flags of container2vm that speak of the machine, as oclif parsed them. */
export interface MachineFlags {
  hostname?: string
  'root-password'?: string
  'root-password-file'?: string
  'root-password-hash'?: string
  'ssh-key'?: string[]
  user?: string[]
  network?: string
  'network-manager'?: string
  dns?: string[]
  timezone?: string
  locale?: string
  keyboard?: string
  package?: string[]
  kernel?: string
  cmdline?: string[]
  console?: string[]
  target?: MachineTarget
}

export async function machineRequest(
  flags: MachineFlags,
  defaultHostname: string,
  reporter: Reporter,
): Promise<MachineRequest> {
  const sshKeys = (await Promise.all((flags['ssh-key'] ?? []).map(readKeys))).flat()
  const request: MachineRequest = {
    ...defaultMachine,
    hostname: checkHostname(flags.hostname ?? defaultHostname),
    rootPasswordHash: await rootPassword(flags, reporter),
    sshKeys,
    users: (flags.user ?? []).map((text) => parseUser(text, sshKeys)),
    network: parseNetwork(flags.network ?? 'dhcp'),
    networkManager: flags['network-manager'],
    dns: (flags.dns ?? []).map(checkAddress),
    timezone: check(flags.timezone, /^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/, 'time zone', 'e.g. Europe/Berlin or UTC'),
    locale: check(flags.locale, /^[A-Za-z0-9_.@-]+$/, 'locale', 'e.g. de_DE.UTF-8'),
    keyboard: check(flags.keyboard, /^[a-z]+(:[A-Za-z0-9_-]+)?$/, 'keyboard layout', 'e.g. de or de:nodeadkeys'),
    packages: (flags.package ?? []).map((name) =>
      checked(name, /^[A-Za-z0-9][A-Za-z0-9+._:~=-]*$/, 'package name', 'e.g. curl'),
    ),
    kernel: flags.kernel,
    cmdline: (flags.cmdline ?? []).flatMap((text) => text.split(/\s+/).filter((word) => word !== '')),
    consoles:
      flags.console?.map((text) => checked(text, CONSOLE, 'console', 'e.g. ttyS0,115200n8 or tty0')) ??
      defaultConsoles(flags.target ?? 'vm'),
  }
  if (request.rootPasswordHash === undefined && sshKeys.length === 0) {
    reporter.warn(
      'nobody can log in to this machine: give --ssh-key FILE, --root-password-file FILE or --root-password-hash HASH',
    )
  }
  return request
}

/** A device and its options, as in Documentation/admin-guide/serial-console.rst: one word of the kernel's command line. */
const CONSOLE = /^[A-Za-z0-9]+(,[A-Za-z0-9,]*)?$/

const PASSWORDS = ['root-password', 'root-password-file', 'root-password-hash'] as const

async function rootPassword(flags: MachineFlags, reporter: Reporter): Promise<Secret | undefined> {
  const given = PASSWORDS.filter((name) => flags[name] !== undefined)
  // not by oclif's exclusive: it says the values
  if (given.length > 1)
    throw usageError(
      'C2M_FLAG_CONFLICT',
      `${given.map((name) => `--${name}`).join(' and ')} are given`,
      'give one of them',
    )
  if (flags['root-password-hash'] !== undefined) return checkPasswordHash(flags['root-password-hash'])
  if (flags['root-password'] !== undefined) {
    reporter.warn(
      '--root-password can be seen in the process list and the shell history: --root-password-file FILE is safer',
    )
    return hashPassword(flags['root-password'])
  }
  const file = flags['root-password-file']
  if (file === undefined) return undefined
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fileError(error, file, 'read the password file')
  })
  return hashPassword(text.replace(/\r?\n$/, ''))
}

async function readKeys(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fileError(error, file, 'read the public key file')
  })
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw usageError('C2M_SSH_KEY', `${file} is a private key`, `name the public one, likely ${file}.pub`)
  }
  const keys = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'))
  if (keys.length > 0 && keys.every(isSshKey)) return keys
  throw usageError(
    'C2M_SSH_KEY',
    `${file} holds ${keys.length === 0 ? 'no OpenSSH public key' : 'lines that are no OpenSSH public keys'}`,
    'name a file such as ~/.ssh/id_ed25519.pub',
  )
}

/** 'NAME', or 'NAME:sudo', or 'NAME:group,group,sudo'. They get the ssh keys that are given. */
function parseUser(text: string, sshKeys: readonly string[]): UserRequest {
  const [name = '', list = '', ...more] = text.split(':')
  if (name === 'root' || more.length > 0)
    throw usageError('C2M_FLAG_VALUE', `'${text}' is no user to be added`, 'write NAME, or NAME:GROUP,GROUP,sudo')
  checked(name, /^[a-z_][a-z0-9_-]{0,30}$/, 'user name', 'lower-case letters, digits, _ and -')
  const groups = list.split(',').filter((group) => group !== '')
  for (const group of groups)
    checked(group, /^[a-z_][a-z0-9_-]{0,30}$/, 'group name', 'lower-case letters, digits, _ and -')
  return { name, groups: groups.filter((group) => group !== 'sudo'), sudo: groups.includes('sudo'), sshKeys }
}

function checkHostname(text: string): string {
  const label = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/
  if (text.length <= 64 && text.split('.').every((part) => label.test(part))) return text
  throw usageError(
    'C2M_HOSTNAME',
    `'${text}' is no host name`,
    'use letters, digits and hyphens, 64 at most (hostname(7))',
  )
}

function checkAddress(text: string): string {
  if (isIP(text) !== 0) return text
  throw usageError('C2M_DNS', `'${text}' is no IP address`, 'name a DNS server by its address, e.g. 192.0.2.53')
}

function check(text: string | undefined, pattern: RegExp, what: string, hint: string): string | undefined {
  return text === undefined ? undefined : checked(text, pattern, what, hint)
}

function checked(text: string, pattern: RegExp, what: string, hint: string): string {
  if (pattern.test(text)) return text
  throw usageError('C2M_FLAG_VALUE', `'${text}' is no ${what}`, hint)
}
