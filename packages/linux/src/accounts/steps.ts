import type { MachineRequest, Rootfs, Step, StepContext } from '@c2m/plugin-api'
import { exists } from '../files/read.js'
import {
  addAccount,
  addToGroup,
  checkAccountName,
  findAccount,
  NO_PASSWORD,
  passwordOf,
  setPassword,
  settleLastChange,
  type AccountFiles,
} from './accounts.js'
import { addSshKeys, checkSshKey } from './authorized-keys.js'
import { readAccountFiles, writeAccountFiles } from './files.js'
import { makeHome } from './home.js'
import { addSubordinateIds } from './subordinate-ids.js'
import { passwordlessSudo } from './sudo.js'

export interface AccountOptions {
  /** Prefix of the steps' ids: the plugin's. */
  readonly owner: string
  /** The tree as the image had it. */
  readonly image: Rootfs
  /** The group whose members the distro's sudoers lets become root. */
  readonly sudoGroup: string
  /** Login shells, the best first. */
  readonly shells: readonly string[]
  /** Lets users who have no password become root all the same; default: by sudo. */
  readonly withoutPassword?: (owner: string, users: readonly string[]) => readonly Step[]
}

/**
 * Root's password or none, the users with their groups, passwords, homes and keys. What is asked is checked here, when the
 * plan is made; hashes are revealed only when the step runs.
 * @throws when a name or a key is none
 */
export function accountSteps(machine: MachineRequest, options: AccountOptions): readonly Step[] {
  const { users } = machine
  for (const user of users) {
    checkAccountName(user.name)
    if (user.name === 'root')
      throw new Error("the user 'root' exists on every machine; give its keys and password with the options for root")
    user.groups.forEach(checkAccountName)
    user.sshKeys.forEach(checkSshKey)
  }
  machine.sshKeys.forEach(checkSshKey)
  const askedForNone = users.filter((user) => user.sudo && user.passwordHash === undefined).map(({ name }) => name)
  const names = ['root', ...users.map(({ name }) => name)]
  return [
    {
      id: `${options.owner}/accounts`,
      title: `set up the accounts of ${names.join(', ')}`,
      phase: 'configure',
      do: 'custom',
      run: (context) => setUpAccounts(context, machine, options),
    },
    ...(options.withoutPassword ?? passwordlessSudo)(options.owner, askedForNone),
  ]
}

async function setUpAccounts(context: StepContext, machine: MachineRequest, options: AccountOptions): Promise<void> {
  const { rootfs } = context
  const image = await readAccountFiles(options.image)
  const shell = await firstShell(rootfs, options.shells)
  let files = await readAccountFiles(rootfs)
  files = settleLastChange(files, image, dayOf(await options.image.stat('etc/shadow')))
  files = setRootPassword(files, machine, context)
  for (const user of machine.users) {
    files = addAccount(files, user.name, { home: `/home/${user.name}`, shell })
    for (const group of [...user.groups, ...(user.sudo ? [options.sudoGroup] : [])]) {
      files = addToGroup(files, user.name, group)
    }
    if (user.passwordHash !== undefined) files = setPassword(files, user.name, user.passwordHash.reveal())
  }
  await writeAccountFiles(rootfs, files)
  for (const user of machine.users) {
    const account = accountOf(files, user.name)
    await makeHome(rootfs, account)
    await addSubordinateIds(rootfs, user.name)
    await addSshKeys(rootfs, account, user.sshKeys)
  }
  await addSshKeys(rootfs, accountOf(files, 'root'), machine.sshKeys)
}

function setRootPassword(files: AccountFiles, machine: MachineRequest, context: StepContext): AccountFiles {
  if (machine.rootPasswordHash !== undefined) return setPassword(files, 'root', machine.rootPasswordHash.reveal())
  const there = passwordOf(files, 'root')
  if (there !== undefined && !/^[*!]/.test(there)) {
    context.warn("the image's root password does not work in the machine; set one with the option for root's password")
  }
  return setPassword(files, 'root', NO_PASSWORD)
}

function accountOf(files: AccountFiles, name: string) {
  const account = findAccount(files, name)
  if (account === undefined) throw new Error(`/etc/passwd has no user ${name}`)
  return account
}

async function firstShell(rootfs: Rootfs, shells: readonly string[]): Promise<string> {
  for (const shell of shells) if (await exists(rootfs, shell)) return shell
  return '/bin/sh'
}

/** Days since the epoch of a file's time: a date that belongs to the image, not to the day of the conversion. */
function dayOf(entry: { readonly mtime: { readonly seconds: number } } | undefined): number {
  return Math.max(0, Math.floor((entry?.mtime.seconds ?? 0) / 86_400))
}
